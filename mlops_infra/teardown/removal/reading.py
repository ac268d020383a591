"""Counts what people have in a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mlops_infra.engine.events import Change
from mlops_infra.kube import Cluster, Kind
from mlops_infra.kube.objects import name_of
from mlops_infra.kube.quantities import amount, gibibytes
from mlops_infra.kube.survey import Found
from mlops_infra.teardown.kubernetes import custom_resources
from mlops_infra.teardown.removal.loss import by_kind, counted

_SERVING = frozenset({"InferenceService", "SeldonDeployment"})
_SCHEDULES = frozenset({"CronWorkflow", "ScheduledWorkflow"})
_CRON_JOBS = "/apis/batch/v1"

OfKind = Callable[[str, str], bool]
"""Whether an API group and kind counts."""


def in_namespace(cluster: Cluster, space: str) -> list[str]:
    """What a tenant has in its namespace, one line a sort."""
    found = [each for each in custom_resources.inside(cluster, [space]) if not each.owned]
    serving = [each.name for each in found if each.kind in _SERVING]
    schedules = [each.name for each in found if each.kind in _SCHEDULES]
    jobs = cluster.get(f"{_CRON_JOBS}/namespaces/{space}/cronjobs")["items"]
    schedules += map(name_of, jobs)
    claims = cluster.get(f"/api/v1/namespaces/{space}/persistentvolumeclaims")["items"]
    sizes = [_size(each) for each in claims]
    others = [each for each in found if each.kind not in _SERVING | _SCHEDULES]
    return [
        counted(len(serving), "model that serves|models that serve", serving),
        counted(len(claims), f"volume with {gibibytes(sizes)}|volumes with {gibibytes(sizes)}"),
        counted(len(schedules), "schedule", schedules),
        *by_kind(others),
    ]


def looked_after(
    cluster: Cluster, counts: OfKind, made_by_us: Iterable[tuple[str, str, str]]
) -> list[Found]:
    """Custom resources of some kinds that people or controllers made, wherever they are.

    Args:
        cluster: where they are.
        counts: which kinds.
        made_by_us: kind, namespace and name of what the stack itself has made.
    """
    ours = set(made_by_us)
    found = custom_resources.everywhere(cluster, _of(counts))
    return [
        each
        for each in found
        if not each.owned and (each.kind, each.namespace, each.name) not in ours
    ]


def exceeded(cluster: Cluster, change: Change) -> list[str]:
    """What of a smaller quota is used already: `requests.cpu: 6 are used, the new quota is 4`."""
    key = change.key
    if key is None or key.kind != "ResourceQuota" or change.op != "update":
        return []
    path = f"/api/v1/namespaces/{key.namespace}/resourcequotas/{key.name}"
    live = cluster.find(path) or {}
    used = (live.get("status") or {}).get("used") or {}
    hard = (change.new.get("spec") or {}).get("hard") or {}
    return [
        f"{name}: {used[name]} are used, the new quota is {limit}"
        for name, limit in hard.items()
        if name in used and amount(used[name]) > amount(limit)
    ]


def _of(counts: OfKind) -> Callable[[Kind], bool]:
    return lambda kind: counts(kind.group, kind.name)


def _size(claim: dict[str, object]) -> object:
    status, spec = claim.get("status"), claim.get("spec")
    capacity = status.get("capacity") if isinstance(status, dict) else None
    wanted = spec.get("resources", {}).get("requests") if isinstance(spec, dict) else None
    return (capacity or wanted or {}).get("storage", "0")
