"""What is generated from the models is what the models say, and the example stacks obey it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mlops_infra import config
from mlops_infra.config.project import project_file
from mlops_infra.config.reference import reference
from tests.golden import ROOT, compare

STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))


def test_pulumi_yaml_is_generated() -> None:
    compare(ROOT / "Pulumi.yaml", project_file())


def test_the_reference_page_is_generated() -> None:
    compare(ROOT / "docs" / "reference" / "configuration.md", reference())


def test_the_json_schema_is_generated() -> None:
    schema = config.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    compare(ROOT / "docs" / "reference" / "config.schema.json", text)


def test_no_module_name_is_shown() -> None:
    """Pydantic puts the module before the name of a section where two sections share one."""
    assert "mlops_infra__" not in reference()


def test_every_key_is_explained() -> None:
    page = reference()
    silent = [
        line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")
    ]
    assert not silent


@pytest.mark.parametrize("file", STACKS, ids=lambda file: file.stem)
def test_the_json_schema_accepts_the_example_stacks(file: Path) -> None:
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(config.json_schema()).validate(values)


def test_the_json_schema_refuses_an_unknown_key() -> None:
    values = {"config": {"mlops-infra:profile": "onprem", "mlops-infra:environmnt": "x"}}
    assert not jsonschema.Draft202012Validator(config.json_schema()).is_valid(values)


def test_pulumi_only_requires_what_has_no_default() -> None:
    keys = config.pulumi_schema()
    assert {name for name, body in keys.items() if "default" not in body} == {
        "profile",
        "environment",
    }
