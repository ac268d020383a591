"""`mlops-infra tenant` before there is a cluster: the file alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mlops_infra import places, toolchain
from mlops_infra.cli.tenant.group import command
from mlops_infra.errors import InputError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLOPS_INFRA_STACKS", str(tmp_path))
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path / "data"))
    found = tmp_path / "Pulumi.teams.yaml"
    shutil.copy(places.project() / "stacks" / "Pulumi.onprem-dev.yaml", found)
    found.chmod(0o640)
    return found


def test_tenants_are_listed_and_one_is_taken_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nothing is deployed, so nothing has to be fetched or compiled to say so
    monkeypatch.setattr(toolchain, "ensure", None)
    listed = CliRunner().invoke(command, ["list", "-s", "teams", "--json"], catch_exceptions=False)
    tenants = {each["name"]: each for each in json.loads(listed.stdout)["tenants"]}
    assert {name: each["state"] for name, each in tenants.items()} == {
        "demand": "declared",
        "vision": "declared",
    }
    assert tenants["vision"]["members"] == ["kim", "park"]
    assert tenants["demand"]["onRemoval"] == "purge"

    removed = CliRunner().invoke(command, ["remove", "-s", "teams", "demand"])
    assert removed.exit_code == 0
    assert "rows are deleted" in removed.stdout
    assert "mlops-infra up -s teams" in removed.stdout
    left = yaml.safe_load(file.read_text("utf-8"))["config"]
    assert list(left["mlops-infra:tenants"]) == ["vision"]
    assert left["mlops-infra:allowRemoval"] == ["tenant/demand"]
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in file.parent.glob(".*")] == []


def test_one_that_is_not_declared_is_refused_and_the_file_untouched(file: Path) -> None:
    before = file.read_text("utf-8")
    answer = CliRunner().invoke(command, ["remove", "-s", "teams", "nobody"])
    assert isinstance(answer.exception, InputError)
    assert "tenant list -s teams" in (answer.exception.hint or "")
    assert file.read_text("utf-8") == before
