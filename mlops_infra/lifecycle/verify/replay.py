"""Computes a logged prediction again, with the very model version that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.gateway.core.fields import INTEGERS
from mlops_infra.lifecycle.gateway.core.form import flat
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.lineage.traces import Trace
from mlops_infra.lifecycle.registry.versions import Registered

_DTYPES = {
    "BOOL": "bool",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
    **{kind: kind.lower() for kind in INTEGERS},
}
CLOSE = 1e-9
"""Relative difference that counts as the same number: another machine may add in another order."""


class Log(Protocol):
    """Where predictions are found."""

    def prediction(self, number: str) -> list[dict[str, Any]]:
        """Every model that was asked for one prediction; the first one answered."""


class Models(Protocol):
    """Where model versions are found."""

    def predict(self, registered: Registered, rows: Any) -> Any:
        """Load a version and ask it."""

    def version(self, name: str, version: str) -> Registered:
        """One version with its signature."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A prediction, where its model came from, and both answers."""

    prediction: str
    endpoint: str
    model: str
    role: str
    at: str
    trace: Trace | None
    """None where the lineage does not know the model."""
    given: tuple[Any, ...]
    computed: tuple[Any, ...]
    difference: float | None
    """The greatest between two numbers; None where they are not numbers."""

    @property
    def equal(self) -> bool:
        """Whether both answers are the same."""
        return len(self.given) == len(self.computed) and all(
            _same(one, other) for one, other in zip(self.given, self.computed, strict=True)
        )


def replay(number: str, log: Log, models: Models, lineage: Lineage | None) -> Replay:
    """Find a prediction and compute it again, in this process.

    Raises:
        InputError: there is no such prediction, or it was logged without its content.
    """
    row = log.prediction(number)[0]
    model = f"{row['model']}/{row['version']}"
    if not row.get("request") or not row.get("response"):
        why = row.get("error") or "its request or response was too long for the log"
        raise InputError(
            f"prediction {number} cannot be computed again: {why}",
            where=f"{row['tenant']}/{model}",
        )
    registered = models.version(row["model"], row["version"])
    rows = table(row["request"], registered.inputs)
    computed = values_of(models.predict(registered, rows))
    given = [value for output in row["response"]["outputs"] for value in flat(output["data"])]
    traces = lineage.find(model) if lineage is not None else []
    endpoint = f"{row['tenant']}/{row['model']}"
    return Replay(
        prediction=str(row["prediction_id"]),
        endpoint=endpoint,
        model=model,
        role=row["role"],
        at=str(row["at"]),
        trace=next((t for t in traces if t.endpoint == endpoint), traces[0] if traces else None),
        given=tuple(given),
        computed=tuple(computed),
        difference=_difference(given, computed),
    )


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


def _same(one: object, other: object) -> bool:
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
    return one == other


def _difference(given: Sequence[Any], computed: Sequence[Any]) -> float | None:
    if len(given) != len(computed):
        return None
    try:
        pairs = zip(given, computed, strict=True)
        return max((abs(float(one) - float(other)) for one, other in pairs), default=0.0)
    except (TypeError, ValueError):
        return None
