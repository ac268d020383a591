"""Files that a stack's file names are looked at before anything is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import config, places
from mlops_infra.errors import ConfigError
from mlops_infra.plan.named_files import certificates, check_files, definition

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def problems(folder: Path, **values: Any) -> dict[str, str]:
    text = {"profile": "onprem", "environment": "test", **values}
    file = folder / "Pulumi.test.yaml"
    file.write_text(json.dumps({"config": {f"mlops-infra:{k}": v for k, v in text.items()}}))
    try:
        check_files(config.load(file), file)
    except ConfigError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


def aws(**values: Any) -> dict[str, Any]:
    return {"profile": "aws", "aws": {"account": "1" * 12, "region": "eu-west-1", **values}}


def test_an_authority_is_looked_for_beside_the_stacks_file(tmp_path: Path) -> None:
    network = {"ca": "site.pem"}
    assert "No such file" in problems(tmp_path, network=network)["network.ca"]
    (tmp_path / "site.pem").write_text("-----BEGIN RSA PRIVATE KEY-----")
    assert "has no certificate" in problems(tmp_path, network=network)["network.ca"]
    (tmp_path / "site.pem").write_text(f"a comment\n{CERTIFICATE}\nand a key")
    assert problems(tmp_path, network=network) == {}
    assert certificates("site.pem", tmp_path) == f"{CERTIFICATE}\n"


def test_a_folder_of_charts_exists(tmp_path: Path) -> None:
    assert "nosuch" in problems(tmp_path, network={"charts": "nosuch"})["network.charts"]
    assert problems(tmp_path, network={"charts": "oci://charts.example/mlops"}) == {}


def test_scripts_and_definitions_are_in_the_project(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        **aws(
            glue={"jobs": {"o": {"script": "nosuch.py"}}},
            pipelines={"p": {"definition": "nosuch.json"}},
        ),
    )
    assert set(found) == {"aws.glue.jobs.o.script", "aws.pipelines.p.definition"}


def test_parameters_of_a_definition_are_put_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "project", lambda: tmp_path)
    body = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Rate", "Type": "Float", "DefaultValue": 0.1}],
        "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {}}],
    }
    (tmp_path / "p.json").write_text(json.dumps(body))
    (only,) = json.loads(definition("p.json", {"Rate": 0.5}))["Parameters"]
    assert only["DefaultValue"] == 0.5
    wrong = aws(pipelines={"p": {"definition": "p.json", "parameters": {"Rat": 1}}})
    assert "no parameter 'Rat'" in problems(tmp_path, **wrong)["aws.pipelines.p.definition"]
