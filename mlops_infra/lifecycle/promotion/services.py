"""What a rollout works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlops_infra.lifecycle.gateway.client import Observer
from mlops_infra.lifecycle.lineage.endpoint_history import EndpointHistory
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.promotion.publisher import Publisher
from mlops_infra.lifecycle.promotion.routes import Routing
from mlops_infra.lifecycle.registry.versions import Registry
from mlops_infra.lifecycle.serving.interface import Scaling, Serving


@dataclass(frozen=True, slots=True)
class RolloutServices:
    """What a rollout works with."""

    registry: Registry
    engine: str
    """Component that serves new versions."""
    servings: Mapping[str, Serving]
    """Every component that serves models, by name."""
    routing: Routing
    publisher: Publisher
    lineage: Lineage
    history: EndpointHistory
    observer: Observer | None = None
    """None where there is no gateway to ask: then only time passes in a stage."""
    scaling: Scaling = field(default_factory=Scaling)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
