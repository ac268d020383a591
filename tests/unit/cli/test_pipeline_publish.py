"""`pipeline publish` where the platform has Kubeflow Pipelines: a fake of its API and a bucket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mlops_infra.cli.main import cli
from mlops_infra.cli.pipeline import publish as command
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.submission import published
from mlops_infra.lifecycle.services.environment import Environment
from tests.unit.lifecycle.pipeline.fake_kfp import FakeKfp, FakeTenancy, serving

CODE = """
from mlops_infra.pipelines import step

@step
def number(least: int = 1) -> dict:
    return {"number": least}
"""


def test_a_version_is_registered_there_too_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "numbers.py"
    file.write_text(CODE)
    version = published.Version("numbers", 1, file.name, "ab" * 32, None, "2026-01-01T00:00:00")
    monkeypatch.setattr(storage, "write", lambda *_: None)
    monkeypatch.setattr(published, "publish", lambda *_: (version, True))
    server = FakeKfp(tokens={"token-of-tenant-demo": "tenant-demo"}, page=2)
    with serving(server) as url:
        tenancy = FakeTenancy(
            Environment(tenant="demo", runtime_image="r:1", pipelines_endpoint=url)
        )
        monkeypatch.setattr(command, "tenancy_of", lambda *_: tenancy)
        first, again = (_published(file) for _ in range(2))
    assert first["kubeflow_pipelines"].startswith("numbers (")
    assert again["kubeflow_pipelines"] == first["kubeflow_pipelines"]


def _published(file: Path) -> dict[str, Any]:
    asked = ["pipeline", "publish", str(file), "--name", "numbers", "--json"]
    done = CliRunner().invoke(cli, asked, catch_exceptions=False)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
