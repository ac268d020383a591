"""One pipeline on every engine of this machine gives the same metrics, to the last digit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import FoundError, OperationFailed
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.engines import kfp, local
from mlops_infra.lifecycle.pipeline.source.file import read
from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.progress import Event, quiet
from tests.tools import environment

KFP = "2.17.0"
"""The SDK of the backend that the catalog names; it needs an older Kubernetes client than ours."""
IMAGE = "mlops-infra.local/runtime:test"
GIVEN = {"promote": "false", "algorithm": "forest", "hyperparameters": '{"n_estimators": 20}'}
USER = """
import pandas as pd
from sklearn.linear_model import LogisticRegression

from mlops_infra.pipelines import Metrics, Model, step

TARGET = "target"


@step
def table() -> pd.DataFrame:
    from sklearn.datasets import load_iris

    return load_iris(as_frame=True).frame


@step
def fitted(table: pd.DataFrame, c: float = 1.0) -> Model:
    return LogisticRegression(C=c, max_iter=500).fit(table.drop(columns=[TARGET]), table[TARGET])


@step
def score(fitted: Model, table: pd.DataFrame, wanted: int = 0) -> Metrics:
    shown = fitted.score(table.drop(columns=[TARGET]), table[TARGET])
    return {"accuracy": float(shown), "inverse": 1 / (1 - wanted)}
"""


@pytest.fixture(scope="module")
def kfp_python() -> Path:
    """An interpreter that has kfp."""
    return environment(f"kfp=={KFP}") / "python"


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return Environment(tracking_uri=(tmp_path / "mlflow").as_uri())


def test_the_same_metrics_on_every_engine(
    tmp_path: Path, around: Environment, kfp_python: Path
) -> None:
    pipeline = standard("tabular-classification")
    values = complete(GIVEN, pipeline)
    here = local.run_in_process(
        pipeline, values, run="here", folder=tmp_path / "here", around=around, sink=quiet
    )
    apart = local.run_as_processes(
        pipeline,
        values,
        run="apart",
        folder=tmp_path / "apart",
        environment=around.environment(),
        sink=quiet,
    )
    kubeflow = run_with_kfp(kfp_python, pipeline, values, tmp_path, around)
    assert kubeflow["kfp"] == KFP
    assert here.metrics == apart.metrics == kubeflow["metrics"]
    assert 0.9 < here.metrics["accuracy"] < 1


def run_with_kfp(
    python: Path, pipeline: Any, values: Any, folder: Path, around: Environment
) -> dict[str, Any]:
    ir = folder / "ir.yaml"
    ir.write_text(kfp.to_yaml(kfp.documents(pipeline, values, image=IMAGE)), "utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [python, Path(__file__).with_name("kfp_runner.py"), ir, folder / "kfp", "{}"],
        env={**os.environ, **around.environment(), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_bad_data_stops_the_run_before_anything_is_trained(
    tmp_path: Path, around: Environment
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("a,target\n" + "1.5,0\n" * 30 + "2.5,\n", "utf-8")
    pipeline = standard("tabular-classification")
    values = complete({**GIVEN, "data": str(data)}, pipeline)
    with pytest.raises(FoundError) as told:
        local.run_in_process(
            pipeline, values, run="r", folder=tmp_path / "r", around=around, sink=quiet
        )
    assert told.value.findings == ("target: no value in 1 rows", "target: only one class")
    assert not (tmp_path / "r" / "train").exists()


def test_equal_steps_are_not_run_again_but_a_touched_cache_is_not_trusted(
    tmp_path: Path, around: Environment
) -> None:
    pipeline, seen = standard("tabular-classification"), list[Event]()
    values = complete(GIVEN, pipeline)

    def run(name: str) -> dict[str, str | None]:
        seen.clear()
        local.run_in_process(
            pipeline,
            values,
            run=name,
            folder=tmp_path / name,
            around=around,
            sink=seen.append,
            cache=tmp_path / "cache",
        )
        ended = [event for event in seen if event.kind == "finished"]
        return {event.title.partition(": ")[2]: event.outcome for event in ended}

    assert set(run("first").values()) == {"done"}
    again = run("again")
    assert {name for name, outcome in again.items() if outcome == "unchanged"} == {
        *("features", "train", "evaluate")
    }
    for model in (tmp_path / "cache").glob("*/model"):
        model.write_bytes(b"something else")
    assert run("touched")["train"] == "done"


def test_a_killed_registration_is_taken_up_and_not_made_twice(
    tmp_path: Path, around: Environment
) -> None:
    pipeline = standard("tabular-classification")
    values = complete(GIVEN, pipeline)
    folder = tmp_path / "r"
    for _ in range(2):
        local.run_in_process(pipeline, values, run="r", folder=folder, around=around, sink=quiet)
        told = json.loads((folder / "register" / "registration").read_bytes())
        assert told["version"] == "1"


def test_a_persons_file_runs_here_and_as_processes(tmp_path: Path, around: Environment) -> None:
    file = tmp_path / "flowers.py"
    file.write_text(USER, "utf-8")
    pipeline = compile_file(read(file))
    values = complete({}, pipeline)
    here = local.run_in_process(
        pipeline, values, run="a", folder=tmp_path / "a", around=around, sink=quiet
    )
    environment = around.environment()
    apart = local.run_as_processes(
        pipeline, values, run="b", folder=tmp_path / "b", environment=environment, sink=quiet
    )
    assert here.metrics == apart.metrics
    told = json.loads((tmp_path / "b" / "record" / "registration").read_bytes())
    assert (told["model"], told["version"]) == ("flowers", "2")


def test_a_persons_mistake_at_run_time_is_told_with_its_line(
    tmp_path: Path, around: Environment
) -> None:
    file = tmp_path / "flowers.py"
    file.write_text(USER, "utf-8")
    pipeline = compile_file(read(file))
    values = complete({"wanted": 1}, pipeline)
    with pytest.raises(OperationFailed) as told:
        local.run_in_process(
            pipeline, values, run="a", folder=tmp_path / "a", around=around, sink=quiet
        )
    assert "step 'score' raised ZeroDivisionError" in told.value.what
    assert told.value.where is not None
    assert told.value.where.startswith("flowers.py, line 25: return")
