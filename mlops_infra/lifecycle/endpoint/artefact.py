"""Loads the model of a folder: an MLflow model, or what the kit's own training step leaves."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.gateway.core.fields import Field, fields_of
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.archive import MEMBER
from mlops_infra.sagemaker import SIGNATURE

if TYPE_CHECKING:
    import pandas as pd

MLMODEL = "MLmodel"
UNKNOWN = "any"
"""Type of a column of which only the name is known; values of any type pass."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model in this process, and what it may be asked with."""

    name: str
    model: Any
    fields: tuple[Field, ...]
    """In the order in which the model wants its columns; empty where nobody knows them."""

    def predict(self, frame: pd.DataFrame) -> list[Any]:
        """One answer that has a JSON form for each row.

        Raises:
            InputError: the model takes no such rows.
        """
        import numpy as np
        from mlflow.exceptions import MlflowException

        try:
            return list(np.asarray(self.model.predict(frame)).tolist())
        except (MlflowException, ValueError, TypeError) as error:
            # scikit-learn and MLflow tell a table that does not fit in these three ways
            raise InputError(
                f"the model refuses the rows: {str(error).partition(chr(10))[0]}", where=self.name
            ) from error


def load(folder: Path) -> Artefact:
    """The model in `folder`.

    Raises:
        InputError: there is none, it is broken, or it takes tensors and not tables.
    """
    found = sorted(folder.glob(MLMODEL)) or sorted(folder.glob(f"*/{MLMODEL}"))
    if found:
        return _tabular(_of_mlflow(found[0].parent))
    file = folder / MEMBER
    if file.is_file():
        return _tabular(_of_step(file))
    held = ", ".join(sorted(each.name for each in folder.iterdir())) if folder.is_dir() else ""
    raise InputError(
        f"no model found: the folder has {held or 'no files'}",
        where=str(folder),
        hint=f"model.tar.gz needs an MLflow model, or the file '{MEMBER}' of the step train",
    )


def _of_mlflow(folder: Path) -> Artefact:
    with warnings.catch_warnings():
        # MLflow warns of its own code as it is imported: nothing to act on here
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import yaml
        from mlflow.exceptions import MlflowException

        broken = (MlflowException, yaml.YAMLError, ImportError, KeyError, OSError, TypeError)
        try:
            model = mlflow.pyfunc.load_model(str(folder))
        except (*broken, ValueError) as error:
            raise InputError(
                f"the MLflow model cannot be loaded: {error}", where=str(folder)
            ) from error
    signature = model.metadata.get_input_schema()
    inputs = json.loads(signature.to_json()) if signature is not None else []
    return Artefact(model.metadata.model_uuid or folder.name, model, fields_of(inputs, {}))


def _of_step(file: Path) -> Artefact:
    model = contents.load("model", file.read_bytes(), str(file))
    beside = file.with_name(SIGNATURE)
    if beside.is_file():
        fields = fields_of(*_signature(beside))
    else:
        names = getattr(model, "feature_names_in_", ())
        fields = fields_of([{"name": str(name), "type": UNKNOWN} for name in names], {})
    return Artefact(type(model).__name__, model, fields)


def _signature(file: Path) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Mapping[str, Any]]]:
    """`inputs` as MLflow writes them, and `ranges` that a person has declared."""
    read = contents.load("json", file.read_bytes(), str(file))
    try:
        inputs = [dict(each) for each in read["inputs"]]
        ranges = {str(name): dict(span) for name, span in read.get("ranges", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not a signature: {error!r}", where=str(file)) from error
    return inputs, ranges


def _tabular(artefact: Artefact) -> Artefact:
    tensors = [field.name for field in artefact.fields if field.shape is not None]
    if tensors:
        raise InputError(
            f"the model takes the tensor '{tensors[0]}', this server takes tables",
            where=artefact.name,
            hint="serve it with an image of its framework: aws.endpoints, model: s3://…",
        )
    return artefact
