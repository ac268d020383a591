"""Writes the routes that gateways follow, and what is known of a rollout under way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.core.route import PREFIX, REVISION, Route, of_json

_ROLLOUT = "mlops-infra:rollout:"
_LEASE = "mlops-infra:lease:rollout:"
LEASE_SECONDS = 30.0


class RouteStore(Protocol):
    """The part of a key-value store that routing needs."""

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """The values of `keys`, None for each that is absent."""

    def put(self, values: Mapping[str, str], *, count: str | None = None) -> None:
        """Write all values in one step and add one to a counter."""

    def drop(self, keys: Sequence[str], *, count: str | None = None) -> None:
        """Delete keys in one step and add one to a counter."""

    def claim(self, key: str, holder: str, *, seconds: float) -> str | None:
        """Take a key for a while; None, or who has it."""

    def extend(self, key: str, holder: str, *, seconds: float) -> bool:
        """Keep a claim for longer; False where it was lost."""

    def release(self, key: str, holder: str) -> None:
        """Give a claim back."""


JUDGING = "judging"
"""The first stage; nothing outside of this program was touched in it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rollout is; written after every stage, so that a killed one goes on from there."""

    id: str
    """Of this rollout, not of the model."""
    version: str
    stage: str
    """judged, deployed, shadow, canary-10, … or ended."""
    since: float
    """Seconds since the epoch at which the stage began."""
    previous: str | None = None
    """The champion it found."""
    fallback: str | None = None
    """The champion before the present one: where --rollback leads, also after later refusals."""
    outcome: str | None = None
    reason: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        """Whether it has changed the platform and has not ended."""
        return self.outcome is None and self.stage != JUDGING

    def refusal(self, tenant: str, model: str) -> OperationFailed:
        """The error of a run that meets this rollout under way."""
        return OperationFailed(
            f"version {self.version} is at stage {self.stage}",
            where=f"{tenant}/{model}",
            hint=f"finish it: mlops-infra promote -s STACK -t {tenant} {model}/{self.version},"
            " or roll it back with --rollback",
        )


class Routing:
    """Routes and rollouts of one platform."""

    def __init__(self, store: RouteStore) -> None:
        self._store = store

    def route(self, tenant: str, model: str) -> Route | None:
        """The route of a model; None where it does not serve."""
        key = f"{PREFIX}{tenant}/{model}"
        (text,) = self._store.get_many([key])
        return of_json(key, text) if text is not None else None

    def write(self, route: Route, progress: Progress | None = None) -> None:
        """Change a route, and note the rollout's progress in the same step."""
        values = {route.key: route.to_json()}
        if progress is not None:
            values[_key(route.tenant, route.model)] = _text(progress)
        self._store.put(values, count=REVISION)

    def withdraw(self, tenant: str, model: str) -> None:
        """Take a model off the gateway."""
        self._store.drop([f"{PREFIX}{tenant}/{model}", _key(tenant, model)], count=REVISION)

    def progress(self, tenant: str, model: str) -> Progress | None:
        """The last rollout of a model."""
        key = _key(tenant, model)
        (text,) = self._store.get_many([key])
        if text is None:
            return None
        try:
            return Progress(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise OperationFailed(
                f"the state of a rollout cannot be read: {error}", where=key
            ) from error

    def note(self, tenant: str, model: str, progress: Progress) -> None:
        """Write how far a rollout is."""
        self._store.put({_key(tenant, model): _text(progress)})

    def claim(self, tenant: str, model: str, holder: str) -> None:
        """Be the only one who moves this model; for `LEASE_SECONDS`, again and again.

        Raises:
            OperationFailed: another run does.
        """
        key = f"{_LEASE}{tenant}/{model}"
        other = self._store.claim(key, holder, seconds=LEASE_SECONDS)
        if other is not None:
            raise OperationFailed(
                f"another run is promoting {tenant}/{model}: {other}",
                where=key,
                hint=f"wait for it; if it was killed, try again in {LEASE_SECONDS:g} s",
            )

    def keep(self, tenant: str, model: str, holder: str) -> None:
        """Stay the one who moves this model.

        Raises:
            OperationFailed: the claim ran out and is another's now.
        """
        if not self._store.extend(f"{_LEASE}{tenant}/{model}", holder, seconds=LEASE_SECONDS):
            self.claim(tenant, model, holder)

    def release(self, tenant: str, model: str, holder: str) -> None:
        """Let others move this model."""
        self._store.release(f"{_LEASE}{tenant}/{model}", holder)


def _key(tenant: str, model: str) -> str:
    return f"{_ROLLOUT}{tenant}/{model}"


def _text(progress: Progress) -> str:
    held: dict[str, Any] = asdict(progress)
    return json.dumps(held, sort_keys=True)
