"""Runs an IR file with kfp's own loader and local runner; a program of the venv that has kfp.

    kfp_runner.py IR.yaml PIPELINE_ROOT PARAMETERS

PARAMETERS is a JSON object. Prints one JSON line: the version of kfp and the metrics of the run.
"""

import json
import sys
from pathlib import Path

import kfp
from kfp import components, local
from kfp.local import subprocess_task_handler


def main() -> None:
    ir, root, parameters = sys.argv[1:]
    pipeline = components.load_component_from_text(Path(ir).read_text(encoding="utf-8"))
    # The runner refuses containers because it has no image to run them in. Ours hold one program,
    # and this machine has that program on its PATH: the command is run as it stands in the IR.
    handler = subprocess_task_handler.SubprocessTaskHandler
    handler.validate_not_container_component = lambda self, full_command: None
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
    done = pipeline(**json.loads(parameters))
    metrics = json.loads(Path(done.outputs["metrics"].path).read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps({"kfp": kfp.__version__, "metrics": metrics}) + "\n")


if __name__ == "__main__":
    main()
