"""How a deployed stack is doing right now: its cluster, its components, their Pods."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.engine.certificates import ending
from mlops_infra.engine.pods import TIMEOUT, Cluster, container_trouble
from mlops_infra.engine.record import StackRecord
from mlops_infra.errors import OperationFailed
from mlops_infra.plan.stateful import COMPONENT_LABEL, STACK_LABEL


@dataclass(frozen=True, slots=True)
class PodHealth:
    """One Pod."""

    component: str
    namespace: str
    name: str
    phase: str
    ready: bool
    restarts: int
    node: str | None
    reason: str
    """Why it is not ready; empty where it is."""

    @property
    def finished(self) -> bool:
        """Whether it did its work and ended, as the Pod of a Job does."""
        return self.phase == "Succeeded"


@dataclass(frozen=True, slots=True)
class Health:
    """A stack at one moment."""

    stack: str
    cluster: str
    """Phase of the embedded cluster, or `reachable` for somebody else's."""
    components: dict[str, str]
    """Component to version, as deployed."""
    pods: tuple[PodHealth, ...]
    notes: tuple[str, ...]

    def problems(self) -> list[str]:
        """What is not as it should be, one line each."""
        found = [] if self.cluster in {"running", "reachable"} else [f"cluster: {self.cluster}"]
        for name in self.components:
            mine = [pod for pod in self.pods if pod.component == name]
            if not any(pod.ready for pod in mine):
                reasons = [pod.reason for pod in mine if pod.reason]
                found.append(f"{name}: {'; '.join(reasons) or 'no Pod is Ready'}")
        return found

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "problems": self.problems()}


def stack_health(stack: str, record: StackRecord, outputs: dict[str, Any]) -> Health:
    """Look at the stack; starts nothing and waits for nothing.

    Raises:
        OperationFailed: the cluster should answer and does not.
    """
    components = dict(outputs.get("components") or {})
    notes: tuple[str, ...] = ()
    phase = "reachable"
    if record.cluster is not None:
        status = EmbeddedCluster(record.cluster).status()
        phase, notes = status.phase, status.notes
        if phase in {"absent", "stopped"}:
            return Health(stack, phase, components, (), notes)
    pods, secrets = _read(record, stack)
    return Health(stack, phase, components, pods, (*notes, *ending(secrets)))


def _read(record: StackRecord, stack: str) -> tuple[tuple[PodHealth, ...], list[Any]]:
    """The stack's Pods, and its Secrets."""
    import urllib3
    from kubernetes import client

    try:
        core = Cluster(record.kubeconfig, record.context).core
        wanted = {"label_selector": f"{STACK_LABEL}={stack}", "_request_timeout": TIMEOUT}
        found = core.list_pod_for_all_namespaces(**wanted).items
        secrets = core.list_secret_for_all_namespaces(**wanted).items
    except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        raise OperationFailed(
            f"the cluster cannot be reached: {getattr(error, 'reason', None) or error}",
            where=record.kubeconfig or "the default kubeconfig",
            hint="check that it runs: kubectl get nodes",
        ) from error
    pods = sorted((_pod(each) for each in found), key=lambda p: (p.component, p.name))
    return tuple(pods), secrets


def _pod(pod: Any) -> PodHealth:
    conditions = {each.type: each for each in pod.status.conditions or ()}
    ready = conditions.get("Ready")
    containers = pod.status.container_statuses or ()
    return PodHealth(
        component=(pod.metadata.labels or {}).get(COMPONENT_LABEL, ""),
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        phase=pod.status.phase,
        ready=ready is not None and ready.status == "True",
        restarts=sum(each.restart_count for each in containers),
        node=pod.spec.node_name,
        reason=_reason(pod, conditions),
    )


def _reason(pod: Any, conditions: dict[str, Any]) -> str:
    for state in [
        *(pod.status.init_container_statuses or ()),
        *(pod.status.container_statuses or ()),
    ]:
        if pod.status.phase != "Succeeded" and (said := container_trouble(state)) is not None:
            return f"{said[0]}: {said[1]}".rstrip(": ")
    scheduled = conditions.get("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        return str(scheduled.message)
    return ""
