"""Pipelines on a running platform: checks that an end-to-end test calls, each with what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.platform import Platform, told

STANDARD = "tabular-classification"
TENANT = "demo"
NOTEBOOK_STEPS = """
import pandas as pd
from sklearn.linear_model import LogisticRegression

from mlops_infra.pipelines import Metrics, Model, step


@step
def table() -> pd.DataFrame:
    from sklearn.datasets import load_iris

    return load_iris(as_frame=True).frame


@step
def fitted(table: pd.DataFrame, c: float = 1.0) -> Model:
    rows = table.drop(columns=["target"])
    return LogisticRegression(C=c, max_iter=500).fit(rows, table["target"])


@step
def score(fitted: Model, table: pd.DataFrame) -> Metrics:
    shown = fitted.score(table.drop(columns=["target"]), table["target"])
    return {"accuracy": float(shown)}
"""


def same_metrics_on_argo_and_here(platform: Platform, *given: str) -> dict[str, Any]:
    """The standard pipeline in Pods of the tenant and in this process; both answers of Argo's run.

    `given` are further `-p name=value` pairs; promotion is off unless one of them asks for it.
    """
    last = {pair.partition("=")[0]: pair for pair in ("promote=false", *given)}
    words = [word for pair in last.values() for word in ("-p", pair)]
    there = run(platform, STANDARD, "argo", *words)
    here = run(platform, STANDARD, "local", *words)
    assert there["phase"] == "Succeeded"
    assert there["metrics"] == here["metrics"], (there, here)
    names = [step["step"] for step in there["steps"]]
    assert names[-1].endswith("onExit"), names
    return there


def a_persons_file_on_argo(platform: Platform, folder: Path) -> dict[str, Any]:
    """Marked functions of a plain Python file run in Pods and are recorded with their code."""
    file = folder / "flowers.py"
    file.write_text(NOTEBOOK_STEPS, "utf-8")
    platform.ok("pipeline", "check", str(file))
    there = run(platform, str(file), "argo")
    assert there["metrics"] == run(platform, str(file), "local")["metrics"]
    return there


def bad_data_fails_with_its_reason(platform: Platform) -> str:
    """A run whose data is refused ends with the step's own words; nothing is tried twice."""
    done = platform.run(
        *("pipeline", "run", STANDARD, "--engine", "argo", "-s", platform.stack),
        *("--tenant", TENANT, "-p", "data=sklearn://nothing", "-p", "promote=false"),
    )
    assert done.returncode == 1, told(done)
    assert "step 'validate'" in done.stderr
    assert "scikit-learn has no data set 'nothing'" in done.stderr
    return done.stderr


def run(platform: Platform, pipeline: str, engine: str, *words: str) -> dict[str, Any]:
    """One run through the command line, as a person of the tenant starts it."""
    return platform.json(
        *("pipeline", "run", pipeline, "--engine", engine, "-s", platform.stack),
        *("--tenant", TENANT, *words),
    )
