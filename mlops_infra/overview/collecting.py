"""Puts the plan, the outputs, the Pods and the changes of a preview side by side."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_infra.catalog import load_catalog
from mlops_infra.config import StackConfig
from mlops_infra.engine import Health, LiveState
from mlops_infra.lifecycle.registry.recent_runs import RecentRun
from mlops_infra.overview.model import ComponentState, Link, Overview, State
from mlops_infra.plan import Plan
from mlops_infra.plan.images.reality import ComponentPods, pods_of

_LAYERS = (
    ("data", ("sql/", "object/", "kv/")),
    ("features", ("features",)),
    ("training", ("pipelines", "workflows/", "tuning", "training", "notebooks")),
    ("tracking", ("tracking", "registry")),
    ("serving", ("serving", "gateway", "edge")),
    ("watching", ("metrics", "alerts", "dashboards")),
)
_FOUNDATION, _TENANTS = "foundation", "tenants"

_LINKS = {
    "tracking_uri": "Experiments and models (MLflow)",
    "notebooks_url": "Notebooks",
    "pipeline_endpoint": "Pipelines",
    "serving_endpoint": "Model endpoint",
    "feature_endpoint": "Feature store",
    "dashboards_url": "Dashboards",
    "object_endpoint": "Object store (S3)",
}


def collect(
    config: StackConfig,
    plan: Plan,
    outputs: Mapping[str, Any],
    health: Health,
    *,
    changes: Sequence[Mapping[str, object]] | None = None,
    runs: Iterable[RecentRun] = (),
    live: LiveState | None = None,
    altered: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Overview:
    """The overview of a stack.

    Args:
        config: what the user asks for.
        plan: what that comes to.
        outputs: of the last `up`.
        health: the Pods, now.
        changes: what `up` would change, where that was asked; None where nobody looked.
        runs: recent runs, newest first.
        live: the state's objects compared with the cluster; None where nobody looked.
        altered: what else somebody has changed by hand, one line each.
        notes: what else a reader must know.
    """
    wanted = {each.name: each for each in plan.components}
    deployed = dict(outputs.get("components") or {})
    tenants = outputs.get("tenants") or ()
    deployed |= {n: c.version for n, c in wanted.items() if c.tenant in tenants}
    live = live or LiveState()
    touched = {**live.components(), **_touched(changes or ())}
    nodes = "the cluster's nodes are simulated" if health.simulated else None
    real = {each.component: each for each in pods_of(plan, nodes)}
    return Overview(
        stack=health.stack,
        environment=config.environment,
        profile=config.profile,
        version=str(outputs.get("version") or ""),
        taken=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        cluster=health.cluster,
        components=tuple(
            _component(name, wanted, deployed, health, touched, real.get(name))
            for name in dict.fromkeys([*wanted, *deployed])
        ),
        links=tuple(
            Link(title, str(outputs[key])) for key, title in _LINKS.items() if outputs.get(key)
        ),
        runs=tuple(runs),
        altered=(*live.lines(), *altered),
        notes=(*health.notes, *notes, *(each.message for each in plan.findings)),
    )


def _component(
    name: str,
    wanted: Mapping[str, Any],
    deployed: Mapping[str, str],
    health: Health,
    touched: Mapping[str, int],
    real: ComponentPods | None,
) -> ComponentState:
    planned = wanted.get(name)
    pods = [pod for pod in health.pods if pod.component == name and not pod.finished]
    ready = sum(pod.ready for pod in pods)
    state, why = _state(name, planned, deployed, pods, touched)
    if state == "ready" and real is not None:
        state, why = ("simulated" if real.pods == "simulated" else "ready"), real.why
    return ComponentState(
        name=name,
        title=_title(name),
        layer=_layer(name, planned),
        wanted=planned.version if planned else None,
        deployed=deployed.get(name),
        pods=len(pods),
        ready=ready,
        state=state,
        why=why,
        simulated=real is not None and real.pods == "simulated",
    )


def _state(
    name: str,
    planned: Any,
    deployed: Mapping[str, str],
    pods: Sequence[Any],
    touched: Mapping[str, int],
) -> tuple[State, str]:
    if planned is None:
        return "unwanted", "no longer configured: mlops-infra up removes it"
    if name not in deployed:
        return "missing", "mlops-infra up deploys it"
    if reasons := [f"{pod.name}: {pod.reason or pod.phase}" for pod in pods if not pod.ready]:
        return "not ready", "; ".join(reasons)
    if deployed[name] != planned.version:
        return "drifted", f"version {deployed[name]}, configured is {planned.version}"
    if touched.get(name):
        return "drifted", f"mlops-infra up would change {touched[name]} objects"
    return "ready", ""


def _touched(changes: Sequence[Mapping[str, object]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in changes:
        if component := each.get("component"):
            counts[str(component)] = counts.get(str(component), 0) + 1
    return counts


def _title(name: str) -> str:
    catalog = load_catalog()
    return catalog[name].title if name in catalog else name


def _layer(name: str, planned: Any) -> str:
    if planned is not None and planned.tenant:
        return _TENANTS
    catalog = load_catalog()
    provides = catalog[name].provides if name in catalog else ()
    for layer, prefixes in _LAYERS:
        if any(each.startswith(prefix) for each in provides for prefix in prefixes):
            return layer
    return _FOUNDATION
