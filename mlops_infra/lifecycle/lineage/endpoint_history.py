"""What happened to an endpoint, step by step: who served, was tried, was refused, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.lineage.index import PREFIX, KeyValue


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    endpoint: str
    """`tenant/name`."""
    version: str
    what: str
    """For example `refused`, `deployed`, `canary-10`, `champion`, `rolled-back`."""
    detail: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    rollout: str = ""
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="microseconds"))

    @property
    def model(self) -> str:
        """`name/version`."""
        return f"{self.endpoint.partition('/')[2]}/{self.version}"


class EndpointHistory:
    """The steps that one key-value store holds; only ever added to."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    def add(self, step: Step) -> None:
        """Keep `step`; one rollout takes each step once, however often it is told."""
        key = f"{PREFIX}:step:{step.endpoint}:{step.rollout}:{step.what}"
        # A resumed rollout tells the step again at another time: the first telling counts.
        sets = [(_of_endpoint(step.endpoint), key), (_of_model(step.model), key)]
        self._store.write_once({key: json.dumps(asdict(step), sort_keys=True)}, sets)

    def of(self, endpoint: str) -> list[Step]:
        """The steps of an endpoint in the order of time."""
        return self._read([_of_endpoint(endpoint)])

    def of_models(self, models: Iterable[str]) -> list[Step]:
        """The steps of model versions (`name/version`) in the order of time, refusals included."""
        return self._read([_of_model(model) for model in models])

    def _read(self, sets: Sequence[str]) -> list[Step]:
        names = sorted(frozenset[str]().union(*self._store.members(sets))) if sets else []
        if not names:
            return []
        texts = self._store.get_many(names)
        found = [_step(name, text) for name, text in zip(names, texts, strict=True) if text]
        return sorted(found, key=lambda step: step.at)


def _of_endpoint(endpoint: str) -> str:
    return f"{PREFIX}:steps:{endpoint}"


def _of_model(model: str) -> str:
    return f"{PREFIX}:steps-of-model:{model}"


def _step(name: str, text: str) -> Step:
    try:
        return Step(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise OperationFailed(f"a step cannot be read: {error}", where=name) from error
