"""The rules of charts/prometheus, run by promtool over made-up series."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlops_infra import toolchain
from mlops_infra.errors import MlopsError
from tests.charts.rendering import Manifest, both, render

_SERIES = Path(__file__).parent / "rules.test.yml"
_VALUES = {"namespaces": ["monitoring"], "expected": ["mlflow"]}


@pytest.fixture(scope="session")
def promtool() -> str:
    try:
        return str(toolchain.ensure(["promtool"], lambda _: None)["promtool"].path)
    except MlopsError as error:
        pytest.skip(f"no promtool: {error.what}")


def _files(folder: Path, values: Manifest) -> None:
    """The chart's files; what a container reads elsewhere is put beside them."""
    maps = [m for m in render("prometheus", both(_VALUES, values)) if m["kind"] == "ConfigMap"]
    for name, text in ((k, v) for each in maps for k, v in each["data"].items()):
        (folder / name).write_text(
            text.replace("/etc/prometheus/", f"{folder}/")
            .replace("/var/run/secrets/kubernetes.io/serviceaccount", str(folder))
            .replace("/run/secrets/", f"{folder}/"),
            "utf-8",
        )
    (folder / "token").write_text("t", "utf-8")


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alerts_fire_when_they_should_and_only_then(promtool: str, tmp_path: Path) -> None:
    _files(tmp_path, {})
    (tmp_path / "test.yml").write_text(_SERIES.read_text("utf-8"), "utf-8")
    _run(promtool, "test", "rules", str(tmp_path / "test.yml"))


@pytest.mark.parametrize(
    "values",
    [
        {"kubelets": False, "expected": []},
        {"signIns": [{"namespace": "mlflow", "secret": "mlflow-metrics"}]},
        {"certificates": [{"namespace": "kserve", "secret": "hook", "ends": "1893456000"}]},
        {"thresholds": {"latencySeconds": 2, "volumeShare": 0.25}},
    ],
    ids=str,
)
def test_prometheus_reads_what_the_chart_writes(
    promtool: str, tmp_path: Path, values: Manifest
) -> None:
    _files(tmp_path, values)
    for each in values.get("signIns", []):
        folder = tmp_path / "sign-in" / each["namespace"]
        folder.mkdir(parents=True)
        for key in ("username", "password"):
            (folder / key).write_text("x", "utf-8")
    told = _run(promtool, "check", "config", "--lint=all", str(tmp_path / "prometheus.yml"))
    assert "SUCCESS" in told
    assert "@" not in (tmp_path / "models.yml").read_text("utf-8")
