"""What an overview holds: plain data, for `--json` and for the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from mlops_infra.lifecycle.registry.recent_runs import RecentRun

State = Literal["ready", "simulated", "not ready", "drifted", "missing", "unwanted"]
"""simulated: its Pods count as Ready and nothing in them runs; drifted: `up` would change it."""


@dataclass(frozen=True, slots=True)
class ComponentState:
    """One component: wanted and found."""

    name: str
    title: str
    layer: str
    """Row of the picture: data, features, training, tracking, serving, watching, tenants."""
    wanted: str | None
    """Version that the configuration asks for; None where it asks for none."""
    deployed: str | None
    """Version that stands; None where it does not."""
    pods: int
    """Pods that should be Ready."""
    ready: int
    """Pods that are."""
    state: State
    why: str = ""
    """Why it is in that state; where it is as it should be, why its Pods are real or simulated."""
    simulated: bool = False
    """Whether its Pods count as Ready and nothing in them runs, in whatever state it is."""


@dataclass(frozen=True, slots=True)
class Link:
    """Something to click on."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A stack at one moment."""

    stack: str
    environment: str
    profile: str
    version: str
    taken: str
    """UTC, ISO 8601."""
    cluster: str
    """Phase of the embedded cluster, or `reachable`."""
    components: tuple[ComponentState, ...]
    links: tuple[Link, ...] = ()
    runs: tuple[RecentRun, ...] = ()
    altered: tuple[str, ...] = ()
    """Objects that somebody deleted or changed, one line each."""
    notes: tuple[str, ...] = ()
    """What a reader must know, for example that Pods are simulated."""

    def problems(self) -> list[str]:
        """What is not as it should be, one line each."""
        found = [] if self.cluster in {"running", "reachable"} else [f"cluster: {self.cluster}"]
        return (
            found
            + [
                f"{each.name}: {each.state}{f' ({each.why})' if each.why else ''}"
                for each in self.components
                if each.state not in {"ready", "simulated"}
            ]
            + list(self.altered)
        )

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "problems": self.problems()}
