"""Runs Pulumi: a stack's folder and environment, locks, events, failures, and bringing it up."""

from mlops_infra.engine.aws_graph import graph_of
from mlops_infra.engine.aws_live import differences, wanted
from mlops_infra.engine.bring_up import bring_up, exports, open_engine, preview
from mlops_infra.engine.declaration import Declared
from mlops_infra.engine.health import Health, stack_health
from mlops_infra.engine.live_objects import LiveState
from mlops_infra.engine.planning import plan_of
from mlops_infra.engine.prepare import from_state, reading
from mlops_infra.engine.results import Outcome, Result
from mlops_infra.engine.runner import Engine

__all__ = [
    "Declared",
    "Engine",
    "Health",
    "LiveState",
    "Outcome",
    "Result",
    "bring_up",
    "differences",
    "exports",
    "from_state",
    "graph_of",
    "open_engine",
    "plan_of",
    "preview",
    "reading",
    "stack_health",
    "wanted",
]
