"""Where the requests for one model go. Written by promotion, read by every gateway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mlops_infra.errors import OperationFailed

PREFIX = "mlops-infra:route:"
REVISION = "mlops-infra:routes-revision"
"""A counter that grows with every change of any route; gateways look at it alone."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Target:
    """One model version that serves somewhere."""

    version: str
    """Version in the registry."""
    url: str
    """Base URL of its server, without `/v2`."""
    server: str
    """Name of the InferenceService or SeldonDeployment."""
    name: str
    """What the server calls the model: `/v2/models/<name>/infer`."""
    inputs: tuple[Mapping[str, Any], ...] = ()
    """Inputs of its MLflow signature; empty where it has none, then nothing is checked."""
    ranges: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Declared ranges by field: min, max, values, integer, nullable."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """Name, datatype and shape of what it answered when it was tried, -1 for the rows."""
    sample: Mapping[str, Any] | None = None
    """The request that it answered then: a server that fails on it too has a fault of its own."""
    engine: str = ""
    """Component that runs the server; empty in routes of older releases."""

    @property
    def label(self) -> str:
        """Names it where two engines serve the same version."""
        return f"{self.version}@{self.engine}"

    def same_server(self, other: Target | None) -> bool:
        """Whether `other` is the same server, whatever was learnt of it."""
        if other is None:
            return False
        return (self.version, self.engine) == (other.version, other.engine)


@dataclass(frozen=True, slots=True)
class Route:
    """Champion, challenger and how the traffic is split between them."""

    tenant: str
    model: str
    champion: Target
    challenger: Target | None = None
    share: float = 0.0
    """Part of the keys that the challenger answers, 0 to 1."""
    shadow: bool = False
    """Whether the challenger sees what the champion answers."""
    fallback: Target | None = None
    """The champion before: it answers what the champion fails on."""
    trial: bool = False
    """Whether the champion is a first version that has answered nothing yet: then only requests
    that name its version are answered."""
    timeout: float = 10.0
    """Seconds that a server may take."""

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{PREFIX}{self.tenant}/{self.model}"

    def to_json(self) -> str:
        """What `of_json` reads."""
        held = {k: v for k, v in asdict(self).items() if k not in ("tenant", "model")}
        return json.dumps({"format": FORMAT, **held}, sort_keys=True)


def of_json(key: str, text: str) -> Route:
    """Read a route.

    Raises:
        OperationFailed: it was written by a newer program, or by none of ours.
    """
    tenant, _, model = key.removeprefix(PREFIX).partition("/")
    try:
        read = json.loads(text)
        _known(read["format"])
        return Route(
            tenant=tenant,
            model=model,
            champion=_target(read["champion"]),
            challenger=_target(read["challenger"]) if read.get("challenger") else None,
            share=min(1.0, max(0.0, float(read["share"]))),
            shadow=bool(read["shadow"]),
            fallback=_target(read["fallback"]) if read.get("fallback") else None,
            trial=bool(read.get("trial")),
            timeout=float(read["timeout"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OperationFailed(f"a route cannot be read: {error}", where=key) from error


def _known(number: object) -> None:
    if number != FORMAT:
        raise ValueError(f"format {number} is unknown to this program")


def _target(read: Mapping[str, Any]) -> Target:
    words = {name: str(read[name]) for name in ("version", "url", "server", "name")}
    return Target(
        **words,
        engine=str(read.get("engine", "")),
        inputs=tuple(read["inputs"]),
        ranges=dict(read["ranges"]),
        outputs=tuple(read.get("outputs") or ()),
        sample=read.get("sample"),
    )
