"""How a deployed stack is doing right now: its cluster, its components, their Pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlops_infra import contract
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.engine.certificates import ending
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.kube import Cluster, pods


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

    of_job: bool = False
    """Whether a Job made it: such a Pod comes and goes."""

    @property
    def finished(self) -> bool:
        """Whether it did its work and ended, or is a Job's and nothing is wrong with it."""
        return self.phase == "Succeeded" or (self.of_job and not self.reason)


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
    simulated: bool = False
    """Whether the whole embedded cluster only says that its Pods run."""

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


def stack_health(stack: str, record: StackRecord, outputs: Mapping[str, Any]) -> Health:
    """Look at the stack; starts nothing and waits for nothing.

    Raises:
        InputError: the kubeconfig cannot be used.
        OperationFailed: the cluster should answer and does not.
    """
    components = dict(outputs.get("components") or {})
    notes: tuple[str, ...] = ()
    phase, simulated = "reachable", False
    if record.cluster is not None:
        status = EmbeddedCluster(record.cluster).status()
        phase, notes, simulated = status.phase, status.notes, status.simulated
        if phase in {"absent", "stopped"}:
            return Health(stack, phase, components, (), notes, simulated)
    pods, secrets = _read(record, stack)
    return Health(stack, phase, components, pods, (*notes, *ending(secrets)), simulated)


def _read(record: StackRecord, stack: str) -> tuple[tuple[PodHealth, ...], list[dict[str, Any]]]:
    """The stack's Pods, and its Secrets."""
    cluster = Cluster.open(record.kubeconfig, record.context)
    wanted = {"labelSelector": f"{contract.STACK_LABEL}={stack}"}
    found = map(_pod, cluster.get("/api/v1/pods", wanted)["items"])
    secrets = cluster.get("/api/v1/secrets", wanted)["items"]
    return tuple(sorted(found, key=lambda pod: (pod.component, pod.name))), secrets


def _pod(pod: dict[str, Any]) -> PodHealth:
    about, status = pod["metadata"], pod.get("status") or {}
    troubles = [*pods.troubles(pod), *pods.remarks(pod)]
    first = next(iter(troubles), None)
    phase = str(status.get("phase", ""))
    return PodHealth(
        component=(about.get("labels") or {}).get(contract.COMPONENT_LABEL, ""),
        namespace=about["namespace"],
        name=about["name"],
        phase=phase,
        ready=any(
            each["type"] == "Ready" and each["status"] == "True"
            for each in status.get("conditions") or ()
        ),
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses") or ()),
        node=pod["spec"].get("nodeName"),
        reason="" if first is None or phase == "Succeeded" else f"{first.reason}: {first.detail}",
        of_job=any(each["kind"] == "Job" for each in about.get("ownerReferences") or ()),
    )
