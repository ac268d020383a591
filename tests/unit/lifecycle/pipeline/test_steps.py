from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.steps.data import validate
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.services.environment import Environment


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
