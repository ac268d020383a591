"""The whole plan of every example stack, compared with the one in `golden/`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.plan import Certificate, FromConfig, Generated, Literal, Plan, SecretValue
from tests.golden import ROOT, compare
from tests.unit.plan import plans

GOLDEN = Path(__file__).resolve().parent / "golden"
STACKS = sorted(file.name[7:-5] for file in (ROOT / "stacks").glob("Pulumi.*.yaml"))


def as_data(plan: Plan) -> dict[str, Any]:
    whole = asdict(plan)
    whole["file"] = Path(plan.file).name
    for planned, data in zip(plan.components, whole["components"], strict=True):
        for spec, keys in zip(planned.secrets, data["secrets"], strict=True):
            keys["keys"] = {key: _value(value) for key, value in spec.keys.items()}
    return whole


def _value(value: SecretValue) -> str:
    match value:
        case Literal(text):
            return f"literal {text}"
        case Generated(name):
            return f"generated {name}"
        case FromConfig(secret, key):
            return f"secrets.{secret}.{key}"
        case Certificate(service, namespace, part):
            return f"{part} of {service}.{namespace}"


@pytest.mark.parametrize("stack", STACKS)
def test_the_plan_is_the_golden_one(stack: str) -> None:
    text = json.dumps(as_data(plans.of_stack(stack)), indent=1, ensure_ascii=False) + "\n"
    compare(GOLDEN / f"{stack}.json", text)


def test_every_example_stack_has_no_other_golden() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == STACKS
