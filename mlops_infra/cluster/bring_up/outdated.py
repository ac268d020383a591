"""Whether a running cluster was started by an older program that knew fewer of its processes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from mlops_infra.cluster.instance import state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.network_policies import engine as policy_engine
from mlops_infra.cluster.supervision import control
from mlops_infra.progress import Sink, step

PATIENCE = 45.0
"""Seconds for Pods, control plane and database to end by themselves before they are killed."""

_OWN_CODE = re.compile(r"from (mlops_infra\.[\w.]+) import")
_SINCE = frozenset({policy_engine.NAME})
"""Processes of a real node that the first release did not have. Its supervisor cannot take up new
ones either: it does not know the signal and would die of it."""


def renew(layout: Layout, sink: Sink) -> bool:
    """Stop the cluster where its supervisor is too old, to be started again; its data stays.

    Returns:
        Whether it was stopped.
    """
    plan = state.read(layout.plan)
    if plan is None:
        return False
    lacking = "node" in plan and not {child["name"] for child in plan["children"]} >= _SINCE
    if not lacking and all(map(_is_runnable, plan["children"])):
        return False
    with step(sink, f"Stopping cluster {layout.name}") as work:
        work.note("it was started by an older release and is restarted")
        ended = control.stop(layout, patience=PATIENCE)
        work.end("done", "its data stays" if ended else "it did not stop and was killed")
    return True


def _is_runnable(child: Mapping[str, Any]) -> bool:
    """Whether a process of our own could be started again: its code may lie elsewhere now."""
    modules = [name for word in child["argv"] for name in _OWN_CODE.findall(word)]
    return all(find_spec(name) is not None for name in modules)
