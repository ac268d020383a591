"""Models that a container may find: MLflow's, those of the kit's own step, and broken ones."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.endpoint.artefact import load
from mlops_infra.lifecycle.endpoint.rows import table
from mlops_infra.lifecycle.gateway.core.checking import Refused
from mlops_infra.lifecycle.pipeline.definition import estimators
from mlops_infra.lifecycle.pipeline.steps import contents

ROWS = pd.DataFrame({"hour": [1, 5, 9, 13, 17, 21] * 5, "area": ["a", "b", "c"] * 10})


@pytest.fixture(scope="module")
def model() -> Any:
    frame = ROWS.assign(busy=(ROWS["hour"] > 12).astype(int))
    return estimators.fit(
        frame, "busy", task="classification", algorithm="linear", hyper={}, seed=1
    )  # fmt: skip


def test_a_model_of_mlflow_is_held_to_its_signature(model: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of integers and of its imports
        import mlflow.sklearn

        mlflow.sklearn.save_model(
            model,
            tmp_path / "model",
            signature=mlflow.models.infer_signature(ROWS, model.predict(ROWS)),
            pip_requirements=["scikit-learn"],
            serialization_format="skops",
            skops_trusted_types=contents.trusted_types(contents.dump("model", model, ""), ""),
        )
    loaded = load(tmp_path)
    assert [(field.name, field.kind) for field in loaded.fields] == [
        ("hour", "long"),
        ("area", "string"),
    ]
    assert loaded.predict(table("text/csv", b"2,a\n20,b\n", loaded.fields)) == [0, 1]
    with pytest.raises(Refused, match=r"hour \(row 0\): '2\.5' is not an integer"):
        table("text/csv", b"2.5,a\n", loaded.fields)


def test_the_step_s_model_is_held_to_its_signature_and_ranges(model: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(contents.dump("model", model, ""))
    inputs = [{"name": "hour", "type": "long"}, {"name": "area", "type": "string"}]
    told = {"inputs": inputs, "ranges": {"hour": {"min": 0, "max": 23}}}
    (tmp_path / "signature.json").write_text(json.dumps(told), "utf-8")
    loaded = load(tmp_path)
    assert loaded.predict(table("text/csv", b"2,a\n", loaded.fields)) == [0]
    with pytest.raises(Refused, match="77 is above 23: 0 to 23 is allowed"):
        table("text/csv", b"77,a\n", loaded.fields)


def test_without_a_signature_names_are_checked_and_the_model_judges_the_rest(
    model: Any, tmp_path: Path
) -> None:
    (tmp_path / "data").write_bytes(contents.dump("model", model, ""))
    loaded = load(tmp_path)
    assert loaded.predict(table("text/csv", b"area,hour\na,20\n", loaded.fields)) == [1]
    with pytest.raises(Refused, match="unknown input"):
        table("application/json", b'{"hour": 2, "area": "a", "x": 1}', loaded.fields)
    with pytest.raises(InputError, match="the model refuses the rows"):
        loaded.predict(table("text/csv", b"late,a\n", loaded.fields))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"data": b"junk"}, "not a model"),
        ({"MLmodel": b"flavors: {}\n"}, "cannot be loaded"),
        ({"MLmodel": b"\0"}, "cannot be loaded"),
    ],
)
def test_a_broken_model_is_told(files: dict[str, bytes], words: str, tmp_path: Path) -> None:
    for name, body in files.items():
        (tmp_path / name).write_bytes(body)
    with pytest.raises(InputError, match=words):
        load(tmp_path)


def test_a_broken_signature_is_told(model: Any, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(contents.dump("model", model, ""))
    (tmp_path / "signature.json").write_text('{"inputs": 7}', "utf-8")
    with pytest.raises(InputError, match="not a signature"):
        load(tmp_path)
