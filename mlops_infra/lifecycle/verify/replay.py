"""Compares a logged prediction with what the very model version that made it computes now.

A model is code of its tenant: it is loaded in a Pod of the tenant, never in this process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.form import flat
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.lineage.traces import Trace
from mlops_infra.lifecycle.verify.cron_jobs import JobRuns

CLOSE = 1e-9
"""Relative difference that counts as the same number: another machine may add in another order."""


class Log(Protocol):
    """Where predictions are found."""

    def prediction(self, number: str) -> list[dict[str, Any]]:
        """Every model that was asked for one prediction; the first one answered."""


class Recompute(Protocol):
    """Computes a prediction again somewhere else."""

    def __call__(self, tenant: str, number: str) -> list[Any]:
        """The answers of the model version that the log names; raises `OperationFailed`."""


class InTenantPod:
    """Computes in a Pod of the tenant, with its accounts: a `Recompute`."""

    def __init__(self, jobs: JobRuns) -> None:
        self._jobs = jobs

    def __call__(self, tenant: str, number: str) -> list[Any]:
        """The answers, from the log of a Job."""
        namespace, job = contract.tenant_namespace(tenant), contract.REPLAY_CRON_JOB
        found = self._jobs.run(namespace, job, number).get("computed")
        if not isinstance(found, list):
            raise OperationFailed(
                f"the Pod that computed prediction {number} printed no answers",
                where=f"CronJob {namespace}/{job}",
            )
        return found


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


def replay(number: str, log: Log, recompute: Recompute, lineage: Lineage | None) -> Replay:
    """Find a prediction and have it computed again.

    Raises:
        InputError: there is no such prediction, or it was logged without its content.
        OperationFailed: the model version does not answer any more.
    """
    row = log.prediction(number)[0]
    require_content(row)
    model = f"{row['model']}/{row['version']}"
    computed = recompute(row["tenant"], str(row["prediction_id"]))
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


def require_content(row: Mapping[str, Any]) -> None:
    """Raise `InputError` where a prediction was logged without its request or response."""
    if row.get("request") and row.get("response"):
        return
    why = row.get("error") or "its request or response was too long for the log"
    raise InputError(
        f"prediction {row['prediction_id']} cannot be computed again: {why}",
        where=f"{row['tenant']}/{row['model']}/{row['version']}",
    )


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
