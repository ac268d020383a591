"""What the program declares for AWS is executed on real data: raw files become a table, the table a
model, the model answers requests and a batch, and drift trains it again.

The stand-in `sagemaker_local` does what SageMaker does between S3 and containers; everything in the
containers is the runtime image's own program. EventBridge is moto's.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.engine.declaration import Declared
from mlops_infra.lifecycle.drift import documents
from mlops_infra.lifecycle.verify.aws import verify
from mlops_infra.lifecycle.verify.aws_journey import Targets
from mlops_infra.progress import quiet
from tests.engine import aws_loop
from tests.engine.aws_container import Container, started
from tests.engine.aws_emulator import emulator
from tests.engine.aws_loop import COLUMNS, one
from tests.engine.aws_platform import ROLE, Platform, configuration, registry
from tests.engine.sagemaker_local import LocalSageMaker, StepFailed, transform

PANDAS = "mlops_infra.components.aws.scripts.raw_to_parquet_pandas"


@dataclass
class Loop:
    sagemaker: LocalSageMaker
    resources: list[Declared]
    definition: dict[str, Any]
    ran: list[str] = field(default_factory=list)

    def folder(self, bucket: str, path: str) -> Path:
        name = f"mlops-{aws_loop.STACK}-{bucket}-123456789012-us-east-1"
        return self.sagemaker.s3(f"s3://{name}/{path}")


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Everything up to a registered model."""
    root = tmp_path_factory.mktemp("aws")
    resources = aws_loop.declared()
    definition = json.loads(one(resources, "Pipeline", "cells")["pipelineDefinition"])
    made = Loop(LocalSageMaker(root), resources, definition)
    rows = aws_loop.write_cells(made.folder("raw", "cells"), broken=3)
    assert f"{rows} rows: {rows - 10} written, 3 refused, 7 older" in etl(made).stdout
    made.ran = made.sagemaker.execute(definition)
    return made


def etl(loop: Loop) -> subprocess.CompletedProcess[str]:
    """The Glue job's program with the arguments that the job has."""
    given = dict(one(loop.resources, "Job", "cells")["defaultArguments"])
    for name in ("--source", "--target", "--refused"):
        given[name] = str(loop.sagemaker.s3(given[name]))
    words = [word for pair in given.items() for word in pair]
    return subprocess.run(
        [sys.executable, "-m", PANDAS, *words], capture_output=True, text=True, check=False
    )


def test_the_declared_pipeline_trains_judges_and_registers(loop: Loop) -> None:
    wanted = ["validate", "features", "baseline", "train", "evaluate"]
    assert loop.ran[:5] == wanted
    assert loop.ran[5:] == ["register", "publish", "judge"]
    (package,) = loop.sagemaker.packages
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    metrics = loop.sagemaker.s3(package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
    assert json.loads(metrics.read_text("utf-8"))["accuracy"] > 0.85
    baseline = loop.folder("artifacts", "baselines/cells/statistics.json")
    told = documents.kinds(json.loads(baseline.read_text("utf-8")))
    assert tuple(told) == COLUMNS  # neither the key nor the day


def test_a_model_that_is_not_good_enough_is_registered_nowhere(loop: Loop) -> None:
    before = len(loop.sagemaker.packages)
    with pytest.raises(StepFailed, match=r"accuracy is not as good as 0\.999"):
        loop.sagemaker.execute(loop.definition, Threshold=0.999)
    assert len(loop.sagemaker.packages) == before


def test_too_many_broken_rows_fail_the_job_and_keep_what_was_refused(
    loop: Loop, tmp_path: Path
) -> None:
    other = Loop(LocalSageMaker(tmp_path), loop.resources, loop.definition)
    aws_loop.write_cells(other.folder("raw", "cells"), broken=100)
    done = etl(other)
    assert done.returncode == 1
    assert "more than 5% refused" in done.stderr
    (refused,) = other.folder("artifacts", "refused/cells").iterdir()
    reasons = [json.loads(line)["_reason"] for line in refused.read_text("utf-8").splitlines()]
    assert reasons == ["mean_area is not a double"] * 100


# --- the container that answers ------------------------------------------------------------------


@pytest.fixture(scope="module")
def container(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The model of the loop, unpacked as SageMaker does."""
    folder = tmp_path_factory.mktemp("model")
    (spec,) = loop.sagemaker.packages[0]["InferenceSpecification"]["Containers"]
    with tarfile.open(loop.sagemaker.s3(spec["ModelDataUrl"])) as archive:
        archive.extractall(folder / "model", filter="data")
    with started(folder / "model", folder / "log") as made:
        made.ready()
        yield made


ROW = {"mean_radius": 12.0, "mean_texture": 15.5, "mean_perimeter": 77.0, "mean_area": 440.0}
VALUES = list(ROW.values())


@pytest.mark.parametrize(
    ("content", "body"),
    [
        ("application/json", json.dumps({"instances": [ROW]})),
        ("application/json; charset=utf-8", json.dumps([ROW])),
        ("application/json", json.dumps(ROW)),
        ("application/json", json.dumps({"instances": [VALUES]})),
        ("application/jsonlines", json.dumps(ROW) + "\n"),
        ("text/csv", ",".join(map(str, VALUES))),
        ("text/csv", f"{','.join(ROW)}\r\n{','.join(map(str, VALUES))}\r\n"),
        (
            "application/json",
            json.dumps(
                {
                    "inputs": [
                        {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
                        for name, value in ROW.items()
                    ]
                }
            ),
        ),
    ],
)
def test_the_same_row_gets_the_same_answer_in_every_form(
    container: Container, content: str, body: str
) -> None:
    assert container.ask(body, content) == (200, {"predictions": [1]})


def test_answers_come_in_the_form_that_was_asked_for(container: Container) -> None:
    two = json.dumps([VALUES, VALUES])
    assert container.ask(two, accept="text/csv") == (200, "1\n1\n")
    lines = container.ask(two, accept="application/jsonlines")
    assert lines == (200, '{"prediction": 1}\n{"prediction": 1}\n')


@pytest.mark.parametrize(
    ("content", "body", "status", "words"),
    [
        ("application/json", "{", 400, "it is not valid JSON"),
        ("application/json", "[]", 400, "rows are missing"),
        ("application/json", '{"instances": [7, [1]]}', 400, "a row is an object or a list"),
        ("application/json", json.dumps(ROW | {"mean_area": "big"}), 400, "'big' is not a number"),
        ("application/json", json.dumps(ROW | {"mean_area": None}), 400, "it is missing"),
        ("application/json", json.dumps(ROW | {"colour": "red"}), 400, "unknown input"),
        ("application/json", '{"mean_radius": 1}', 400, "mean_texture: it is missing"),
        ("application/json", json.dumps(ROW).replace("440.0", "NaN"), 400, "NaN is not a number"),
        ("application/json", json.dumps(ROW).replace("440.0", "1e999"), 400, "inf is not a number"),
        ("text/csv", "1,2,3", 400, "it has 3 values, the model needs 4: mean_radius"),
        ("text/csv", "1,2,3,x", 400, "'x' is not a number"),
        ("text/csv", "1,2,3,", 400, "it is missing"),
        ("text/csv", "\n", 400, "there are no rows"),
        ("text/plain", "1,2,3,4", 415, "application/jsonlines"),
        ("text/csv", "1,2,3,4\n" * 900_000, 413, "a request can have at most 6291456 bytes"),
    ],
)
def test_what_the_model_must_not_see_is_refused_with_the_reason(
    container: Container, content: str, body: str, status: int, words: str
) -> None:
    found, told = container.ask(body, content)
    assert (found, words in json.dumps(told, ensure_ascii=False)) == (status, True), told


def test_the_declared_batch_job_scores_every_row_once(loop: Loop, container: Container) -> None:
    lines = [",".join(map(str, VALUES))] * 400 + ["25,30,170,2000"] * 100
    folder = loop.folder("curated", "to-score")
    folder.mkdir(parents=True)
    (folder / "part-0.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "part-1.csv").write_text(f"{','.join(ROW)}\n{lines[0]}\n", "utf-8")
    job = json.loads(one(loop.resources, "Schedule", "nightly")["target"]["input"])
    _, limits = container.send("GET", "/execution-parameters")
    assert json.loads(limits)["MaxPayloadInMB"] == job["MaxPayloadInMB"]
    assert transform(loop.sagemaker, job, container.port) == 2
    made = loop.sagemaker.s3(job["TransformOutput"]["S3OutputPath"])
    found = (made / "part-0.csv.out").read_text("utf-8").splitlines()
    assert [json.loads(line)["prediction"] for line in found] == [1] * 400 + [0] * 100
    assert (made / "part-1.csv.out").read_text("utf-8") == '{"prediction": 1}\n'


def test_a_container_without_a_model_ends_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"x")
    with started(tmp_path / "model", tmp_path / "log") as made:
        assert made.process.wait(120) == 2
        assert "no model found: the folder has weights.bin" in made.log.read_text()


def test_verify_goes_all_the_way_round(loop: Loop, container: Container, tmp_path: Path) -> None:
    """The emulator keeps the registry and passes requests on to the container."""
    name, group = "mlops-loop-cells", "mlops-loop-models"
    with emulator(tmp_path, long=False, container=container.port) as running:
        made = Platform(running.cloud())
        registry(made, group=group, packages=0)
        configuration(made, name)
        for method, words in {
            "create_endpoint": {"EndpointName": name, "EndpointConfigName": name},
            "create_pipeline": {
                "PipelineName": name, "PipelineDisplayName": name, "RoleArn": ROLE,
                "ClientRequestToken": "x" * 32, "PipelineDefinition": json.dumps(loop.definition),
            },
        }.items():  # fmt: skip
            made.call("sagemaker", method, **words)
        made.call("s3", "create_bucket", Bucket="artifacts")
        sample = ",".join(map(str, VALUES)).encode()
        targets = Targets("artifacts", group, name, name, sample)
        report = verify(running.cloud(), targets, quiet)
    told = {step.title: (step.outcome, step.detail) for step in report.steps}
    assert {outcome for outcome, _ in told.values()} == {"done"}, told
    assert told["Predicting"][1] == 'champion: {"predictions": [1]}'
    assert report.model is not None
    assert report.model.endswith(f"model-package/{group}/1")


def test_sigterm_lets_the_request_under_way_end(container: Container) -> None:
    """Runs last of the container's: it ends it."""
    sock = socket.create_connection(("127.0.0.1", container.port), timeout=30)
    body = (",".join(map(str, VALUES)) + "\n").encode() * 20_000
    head = "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nAccept: text/csv\r\n"
    sock.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    assert sock.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n", "it is under way"
    container.process.send_signal(signal.SIGTERM)
    sock.sendall(body)
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    assert (answer.status, len(answer.read().split())) == (200, 20_000)
    sock.close()
    assert container.process.wait(30) in (0, -signal.SIGTERM)
