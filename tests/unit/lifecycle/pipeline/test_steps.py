from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.steps.data import validate
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.validation import infer


def job(around: Environment, data: str) -> Job:
    pipeline = standard("tabular-classification")
    step = next(each for each in pipeline.steps if each.entry == "validate")
    values = {each.name: each.default or "" for each in pipeline.parameters}
    values |= {"data": data, "target": "target", "schema": ""}
    parameters = {name: values[name] for name in step.parameters}
    places = dict.fromkeys(step.outputs, "/nowhere")
    return Job(pipeline, step, "run", parameters, {}, places, around)


def test_the_environment_names_the_validator_of_step_validate(tmp_path: Path) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("load,target\n" + "".join(f"{n}.5,{n % 2}\n" for n in range(30)))
    plain = Environment.here({})
    assert validate(job(plain, str(data)))["facts"]["rows"] == 30
    other = Environment.here({"MLOPS_INFRA_VALIDATOR": "great"})
    assert Environment.here(other.environment()) == other
    with pytest.raises(InputError, match="no such validator: 'great'"):
        validate(job(other, str(data)))


def test_what_was_probably_meant_otherwise_is_noted_and_a_schema_decides(tmp_path: Path) -> None:
    data, schema = tmp_path / "rows.csv", tmp_path / "schema.json"
    rows = [f"{10000 + 7 * n},{n}%,{n % 2}" for n in range(30)]
    data.write_text("\n".join(["zip,share,target", *rows]))
    notes: list[str] = []
    made = validate(replace(job(Environment(), str(data)), note=notes.append))
    assert made["facts"]["notes"] == notes
    assert "column 'share' has percentages" in notes[0]
    assert str(made["table"]["zip"].dtype) == "int64"
    rules = infer(made["table"].astype({"zip": str}), slack=0.0)
    schema.write_text(rules.to_json())
    declared = job(Environment(), str(data))
    declared = replace(declared, parameters={**declared.parameters, "schema": str(schema)})
    assert validate(declared)["table"]["zip"].tolist()[:2] == ["10000", "10007"]
