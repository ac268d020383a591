"""The one simulated node that stands beside a real one, for software that cannot be had here."""

from __future__ import annotations

import dataclasses

from mlops_infra import toolchain
from mlops_infra.cluster.api.client import Api
from mlops_infra.cluster.bring_up import readiness
from mlops_infra.cluster.control_plane import extra_processes, simulated_nodes
from mlops_infra.cluster.instance import identity, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.supervision import control
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step


def ensure(layout: Layout, sink: Sink, *, wanted: bool) -> None:
    """Have the node where it is wanted or was before; a simulated cluster needs none.

    Called with the cluster's lock held, after the cluster came up.

    Raises:
        MissingError, OperationFailed: kwok can neither be found nor made, or does not run.
    """
    known = identity.load(layout)
    if known is None or known.simulated or not (wanted or known.simulated_node):
        return
    api = Api(layout.kubeconfig)
    if known.simulated_node and _plays(layout) and _ready(api):
        return
    binary = str(toolchain.ensure(["kwok"], sink)["kwok"].path)
    with step(sink, f"Simulated node {simulated_nodes.BESIDE}") as work:
        known = dataclasses.replace(known, simulated_node=True)
        state.write(layout.identity, known.as_dict())
        _join(layout, extra_processes.kwok(layout, known, binary).as_dict())
        path = f"/api/v1/nodes/{simulated_nodes.BESIDE}"
        api.apply(path, simulated_nodes.node(simulated_nodes.BESIDE, beside_real=True))
        readiness.until(layout, "node", lambda: _plays(layout) and _ready(api))
        work.end("done", f"its Pods are simulated; label {simulated_nodes.SIMULATED}")


def _join(layout: Layout, spec: dict[str, object]) -> None:
    plan = state.read(layout.plan)
    if plan is None:
        raise OperationFailed(
            f"the plan of cluster {layout.name} is missing",
            where=str(layout.plan),
            hint=f"mlops-infra cluster stop {layout.name}, then start it again",
        )
    others = [child for child in plan["children"] if child["name"] != extra_processes.KWOK]
    state.write(layout.plan, {**plan, "children": [*others, spec]})
    control.reload(layout)


def _plays(layout: Layout) -> bool:
    found = state.processes(state.read(layout.state))
    return any(one.name == extra_processes.KWOK and one.phase == "running" for one in found)


def _ready(api: Api) -> bool:
    return readiness.node(api, simulated_nodes.BESIDE, 0.0)
