"""What is wrong with the Pods of a workload, read from the cluster after a failure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_infra.kube import open_client

TIMEOUT = 5
"""Seconds for each question: the cluster itself may be what failed."""
LOG_LINES = 8
_SHORTEST_SECRET = 6
"""Shorter values would black out ordinary words."""

_WAITING_IS_FINE = {"PodInitializing", "ContainerCreating"}


@dataclass(frozen=True, slots=True)
class PodProblem:
    """Why one Pod is not ready."""

    namespace: str
    pod: str
    reason: str
    """As Kubernetes says it: `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`…"""
    message: str
    container: str = ""
    log: tuple[str, ...] = ()
    """The container's last lines, without any value of the namespace's Secrets."""

    def __str__(self) -> str:
        where = f"Pod {self.namespace}/{self.pod}"
        where += f", container {self.container}" if self.container else ""
        lines = [f"{where}: {self.reason}: {self.message}".rstrip(": ")]
        return "\n".join([*lines, *(f"    | {line}" for line in self.log)])


class Cluster:
    """A few questions to the API server, each with a short time-out."""

    def __init__(self, kubeconfig: Path | str | None, context: str | None = None) -> None:
        from kubernetes import client

        self.core = client.CoreV1Api(open_client(kubeconfig, context))

    def problem(self, kind: str, namespace: str, name: str) -> PodProblem | None:
        """The first Pod of the workload `namespace/name` that is not ready, and why."""
        pods = self.core.list_namespaced_pod(namespace, _request_timeout=TIMEOUT).items
        mine = [pod for pod in pods if _belongs(pod, kind, name)]
        for pod in sorted(mine, key=lambda p: p.metadata.creation_timestamp, reverse=True):
            if (found := self._of(pod)) is not None:
                return found
        return None

    def warning(self, namespace: str, name: str) -> str:
        """The latest warning event about an object of this name; empty where there is none."""
        events = self.core.list_namespaced_event(
            namespace,
            field_selector=f"involvedObject.name={name},type=Warning",
            _request_timeout=TIMEOUT,
        ).items
        events.sort(key=lambda e: str(e.last_timestamp or e.event_time or ""))
        return f"{events[-1].reason}: {events[-1].message}" if events else ""

    def _of(self, pod: Any) -> PodProblem | None:
        space, name = pod.metadata.namespace, pod.metadata.name
        status = pod.status
        for state in [*(status.init_container_statuses or ()), *(status.container_statuses or ())]:
            if (said := container_trouble(state)) is not None:
                reason, message, ran = said
                log = self._log(space, name, state) if ran else ()
                return PodProblem(space, name, reason, message, state.name, log)
        for condition in status.conditions or ():
            if condition.type == "PodScheduled" and condition.status == "False":
                claim = self._claims(pod) if "PersistentVolumeClaim" in condition.message else ""
                message = claim or condition.message
                return PodProblem(space, name, condition.reason, message)
        if any(c.type == "Ready" and c.status != "True" for c in status.conditions or ()):
            return PodProblem(space, name, "NotReady", self.warning(space, name))
        return None

    def _claims(self, pod: Any) -> str:
        """Why a volume of the Pod is not bound."""
        for volume in pod.spec.volumes or ():
            if volume.persistent_volume_claim is not None:
                claim = volume.persistent_volume_claim.claim_name
                if said := self.warning(pod.metadata.namespace, claim):
                    return f"PersistentVolumeClaim {claim}: {said}"
        return ""

    def _log(self, namespace: str, pod: str, state: Any) -> tuple[str, ...]:
        from kubernetes.client import ApiException

        try:
            text = self.core.read_namespaced_pod_log(
                pod,
                namespace,
                container=state.name,
                previous=bool(state.restart_count and not state.state.running),
                tail_lines=LOG_LINES,
                _request_timeout=TIMEOUT,
            )
        except ApiException as error:
            return (f"(no log: {error.reason})",)
        return tuple(self._without_secrets(namespace, text).splitlines())

    def _without_secrets(self, namespace: str, text: str) -> str:
        for secret in self.core.list_namespaced_secret(namespace, _request_timeout=TIMEOUT).items:
            for encoded in (secret.data or {}).values():
                value = base64.b64decode(encoded).decode(errors="replace")
                if len(value) >= _SHORTEST_SECRET:
                    text = text.replace(value, "***")
        return text


def _belongs(pod: Any, kind: str, name: str) -> bool:
    if kind == "Pod":
        return bool(pod.metadata.name == name)
    owners = pod.metadata.owner_references or ()
    if kind == "Deployment":
        return any(o.kind == "ReplicaSet" and o.name.rpartition("-")[0] == name for o in owners)
    if kind in {"StatefulSet", "DaemonSet", "Job", "ReplicaSet"}:
        return any(o.kind == kind and o.name == name for o in owners)
    # Services, claims: the Pods that carry the same application's name
    return bool((pod.metadata.labels or {}).get("app.kubernetes.io/name") == name)


def container_trouble(state: Any) -> tuple[str, str, bool] | None:
    """Reason, message and whether the container ever ran, of one that is in trouble."""
    now, before = state.state, state.last_state
    if now.waiting is not None and now.waiting.reason not in _WAITING_IS_FINE:
        ended = before.terminated if before is not None else None
        message = now.waiting.message or ""
        if ended is not None:
            message = f"exit code {ended.exit_code} ({ended.reason})"
        return str(now.waiting.reason), message, ended is not None
    if now.terminated is not None and now.terminated.exit_code != 0:
        return str(now.terminated.reason), f"exit code {now.terminated.exit_code}", True
    if now.running is not None and not state.ready:
        return "NotReady", "running, but the readiness probe fails", True
    return None
