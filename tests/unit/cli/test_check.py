"""`mlops-infra check` as a person and as a program see it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from mlops_infra.cli.main import run
from mlops_infra.config import json_schema


def test_a_person_sees_the_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-s", "onprem-dev"]) == 0
    shown = capsys.readouterr().out
    assert "is valid: profile onprem" in shown
    assert "postgresql, versitygw" in shown
    assert "BSD-3-Clause" in shown


def test_a_program_gets_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "-s", "onprem-dev", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"mlflow", "kserve", "tenant-vision"} <= {each["name"] for each in told["components"]}
    assert told["deployable"] is True
    assert told["outputs"]["tracking_uri"] == "http://dev.example.com:30500"


def test_aws_is_deployable_and_says_what_it_was_not_tried_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["check", "-s", "aws-prod", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["deployable"] is True
    assert told["findings"][0]["gate"] == "release"
    assert told["outputs"]["catalog"] == "mlops_aws_prod_lake"


def test_effective_is_a_stack_file_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["check", "-s", "aws-prod", "--effective"]) == 0
    file = tmp_path / "Pulumi.again.yaml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    values = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    assert values["mlops-infra:aws"]["kms"]["deletionWindowDays"] == 30
    assert run(["check", "--file", str(file)]) == 0


def test_the_schema_needs_no_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_mistakes_end_in_2_with_every_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("config:\n  mlops-infra:profile: on-prem\n  mlops-infra:polcy: dev\n")
    assert run(["check", "--file", str(file), "--json"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert {(each["path"], each["line"]) for each in problems} == {
        ("profile", 2),
        ("polcy", 3),
        ("environment", None),
    }


def test_a_stack_must_be_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLOPS_INFRA_STACK", raising=False)
    assert run(["check"]) == 2
    assert "-s" in capsys.readouterr().err


def test_each_component_says_whether_its_pods_are_real_and_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path))
    monkeypatch.setattr("mlops_infra.cluster.node.preflight.can_be_real", lambda: True)
    file = tmp_path / "mine.yaml"
    file.write_text(
        "config:\n  mlops-infra:profile: onprem\n  mlops-infra:environment: x\n"
        "  mlops-infra:cluster: {embedded: true}\n"
        "  mlops-infra:network: {images: {components: {valkey: upstream}}}\n"
    )
    assert run(["check", "--file", str(file), "--json"]) == 0
    components = json.loads(capsys.readouterr().out)["components"]
    told = {each["name"]: (each["pods"], each["why"]) for each in components}
    assert told["mlflow"] == ("real", "built here")
    assert told["valkey"][0] == "simulated"
    assert "no registry has been asked" in told["valkey"][1]
    assert run(["check", "--file", str(file)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"real: built here +\S*.*mlflow", shown)
    assert re.search(r"simulated: docker\.io/\S+: no registry has been asked for it +valkey", shown)
