"""Computes a logged prediction again, in a Pod of the tenant: a model is code of its tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from mlops_infra.lifecycle.gateway.core.fields import INTEGERS
from mlops_infra.lifecycle.gateway.core.form import flat
from mlops_infra.lifecycle.registry.versions import Registered
from mlops_infra.lifecycle.verify.replay import Log, require_content

_DTYPES = {
    "BOOL": "bool",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
    **{kind: kind.lower() for kind in INTEGERS},
}


class Models(Protocol):
    """Where model versions are found."""

    def version(self, name: str, version: str) -> Registered:
        """One version with its signature."""

    def predict(self, registered: Registered, rows: Any) -> Any:
        """Load a version into this process and ask it."""


def recompute(number: str, log: Log, models: Models) -> list[Any]:
    """The answers of the version that made prediction `number`, as plain values.

    Raises:
        InputError: there is no such prediction, or it was logged without its content.
        OperationFailed: the version cannot be loaded any more.
    """
    row = log.prediction(number)[0]
    require_content(row)
    registered = models.version(row["model"], row["version"])
    return values_of(models.predict(registered, table(row["request"], registered.inputs)))


def table(request: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> Any:
    """A request of the protocol as a model takes it: an array for a tensor, else a data frame."""
    import numpy as np
    import pandas as pd

    given = request["inputs"]
    tensors = [each for each in inputs if each.get("type") == "tensor"]
    arrays = {
        each["name"]: np.array(flat(each["data"]), dtype=_DTYPES[each["datatype"]]).reshape(
            each["shape"]
        )
        for each in given
    }
    if tensors and len(arrays) == 1:
        return next(iter(arrays.values()))
    if tensors:
        return arrays
    return pd.DataFrame({name: values.reshape(-1) for name, values in arrays.items()})


def values_of(answer: Any) -> list[Any]:
    """A model's answer as plain values, in the order in which servers write them."""
    import numpy as np
    import pandas as pd

    if isinstance(answer, pd.DataFrame):
        return [value for name in answer.columns for value in answer[name].tolist()]
    if isinstance(answer, Mapping):
        return [value for part in answer.values() for value in np.asarray(part).ravel().tolist()]
    found: list[Any] = np.asarray(answer).ravel().tolist()
    return found
