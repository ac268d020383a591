"""Runs a pipeline as people of Kubeflow do, with its own SDK; a program of the venv that has kfp.

    TOKEN=… kfp_sdk.py SERVER NAMESPACE IMAGE NAME

IMAGE has Python. Prints one JSON line: the versions of kfp and of the server's API, id and state.
"""

import json
import os
import sys

import kfp
from kfp import dsl

WRITE = """
import pathlib, sys
place = pathlib.Path(sys.argv[1])
place.parent.mkdir(parents=True, exist_ok=True)
place.write_text("\\n".join(str(n * n) for n in range(int(sys.argv[2]))))
"""
READ = """
import pathlib, sys
numbers = [int(line) for line in pathlib.Path(sys.argv[1]).read_text().split()]
print("sum of squares", sum(numbers), flush=True)
pathlib.Path(sys.argv[2]).parent.mkdir(parents=True, exist_ok=True)
pathlib.Path(sys.argv[2]).write_text(str(sum(numbers)))
"""


def main() -> None:
    server, namespace, image, name = sys.argv[1:]
    python = ["python3", "-c"]

    @dsl.container_component
    def squares(numbers: dsl.Output[dsl.Dataset], count: int):
        return dsl.ContainerSpec(image=image, command=[*python, WRITE], args=[numbers.path, count])

    @dsl.container_component
    def total(numbers: dsl.Input[dsl.Dataset], sum_of: dsl.OutputPath(int)):
        return dsl.ContainerSpec(image=image, command=[*python, READ], args=[numbers.path, sum_of])

    @dsl.pipeline(name=name)
    def sums(count: int = 5):
        total(numbers=squares(count=count).outputs["numbers"])

    client = kfp.Client(host=server, existing_token=os.environ["TOKEN"], namespace=namespace)
    started = client.create_run_from_pipeline_func(
        sums, arguments={"count": 5}, run_name=name, experiment_name=name, namespace=namespace
    )
    ended = client.wait_for_run_completion(started.run_id, timeout=600, sleep_duration=2)
    told = {"kfp": kfp.__version__, "run": started.run_id, "state": ended.state}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
