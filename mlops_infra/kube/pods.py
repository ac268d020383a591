"""Why Pods do not start: a sentence that names Pod, container and reason. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mlops_infra.kube.objects import Object, condition, holds, name_of
from mlops_infra.kube.verdict import Trouble

_NEVER = 0.0
"""What cannot heal without a change."""
_PULL_GRACE = 15.0
_CONFIG_GRACE = 20.0
"""A Secret or ConfigMap of the same update may arrive a moment later."""
_UNSCHEDULABLE_GRACE = 45.0
"""A volume being made or a node coming up."""
_MOUNT_GRACE = 60.0
CRASHES = 3
"""Restarts before a crash loop counts; with the kubelet's back-off that is about a minute."""

_PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
_CONFIG = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"},
)
_HOPELESS_PULL = (
    "not found",
    "manifest unknown",
    "no such host",
    "unauthorized",
    "denied",
    "invalid reference",
    "connection refused",
    "server misbehaving",
    "no match for platform",
)


def troubles(pod: Object, *, crashes: int = CRASHES) -> list[Trouble]:
    """Everything that keeps this Pod from being ready, worst first.

    `crashes` is the number of restarts after which a crash counts as the way it is.
    """
    if holds(pod, "Ready") or (pod.get("status") or {}).get("phase") == "Succeeded":
        return []
    found = [*_scheduling(pod), *_containers(pod, crashes)]
    return sorted(found, key=lambda trouble: trouble.grace)


def remarks(pod: Object) -> Iterator[Trouble]:
    """What time alone may heal: a container that has ended and is tried again, or is not ready."""
    for status in _statuses(pod):
        state = status.get("state") or {}
        before = status.get("lastState") or {}
        ended = state.get("terminated") or before.get("terminated") or {}
        if ended.get("exitCode"):
            reason = str(ended.get("reason") or "Error")
            detail = f"it ended with exit code {ended['exitCode']} ({reason})"
        elif (
            state.get("running") is not None and not status.get("ready") and not holds(pod, "Ready")
        ):
            reason, detail = "NotReady", "running, but the readiness probe fails"
        else:
            continue
        name, container = name_of(pod), str(status.get("name", ""))
        yield Trouble(
            f"{name}/{container}/{reason}",
            f"Pod {name}, container {container}: {detail}",
            math.inf,
            (name, container),
            reason=reason,
            subject=(name, container),
            detail=detail,
        )


def progress(pods: list[Object]) -> str:
    """What the first unready Pod is doing right now, in a few words."""
    for pod in pods:
        if holds(pod, "Ready"):
            continue
        for status in _statuses(pod):
            state = status.get("state") or {}
            reason = (state.get("waiting") or {}).get("reason")
            if reason:
                return f"Pod {name_of(pod)}: {reason}"
        if (pod.get("status") or {}).get("phase") == "Running":
            return f"Pod {name_of(pod)}: running, not ready yet"
    return ""


def mount_trouble(pod: Object, reason: str, message: str) -> Trouble:
    """A warning event about a volume that cannot be mounted, or a sandbox that cannot be made."""
    name = name_of(pod)
    return Trouble(
        f"{name}/mount",
        f"Pod {name}: {message}",
        _MOUNT_GRACE,
        reason=reason,
        subject=(name, ""),
        detail=message,
    )


def _statuses(pod: Object) -> list[dict[str, Any]]:
    status = pod.get("status") or {}
    return [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]


def _scheduling(pod: Object) -> Iterator[Trouble]:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        name = name_of(pod)
        yield Trouble(
            f"{name}/schedule",
            f"Pod {name} cannot be scheduled: {scheduled.get('message', '')}",
            _UNSCHEDULABLE_GRACE,
            reason="Unschedulable",
            subject=(name, ""),
            detail=f"cannot be scheduled: {scheduled.get('message', '')}",
        )


def _containers(pod: Object, crashes: int) -> Iterator[Trouble]:
    for status in _statuses(pod):
        held = (status.get("state") or {}).get("waiting") or {}
        reason, message = held.get("reason", ""), held.get("message", "")
        grace = _grace(reason, message, status, crashes)
        if grace is None:
            continue
        name, container = name_of(pod), status.get("name", "")
        ended = (status.get("lastState") or {}).get("terminated") or {}
        detail = _explained(reason, message, status, ended)
        yield Trouble(
            f"{name}/{container}/{_family(reason)}",
            f"Pod {name}, container {container}: {detail}",
            grace,
            (name, container) if ended else None,
            reason=reason,
            subject=(name, container),
            detail=detail,
        )


def _family(reason: str) -> str:
    """ErrImagePull and ImagePullBackOff take turns, they are one trouble."""
    return "pull" if reason in _PULL else reason


def _grace(reason: str, message: str, status: dict[str, Any], crashes: int) -> float | None:
    if reason in {"InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}:
        return _NEVER
    if reason in _PULL:
        hopeless = any(part in message.lower() for part in _HOPELESS_PULL)
        return _NEVER if hopeless else _PULL_GRACE
    if reason in _CONFIG:
        return _CONFIG_GRACE
    if reason == "CrashLoopBackOff" and int(status.get("restartCount") or 0) >= crashes:
        return _NEVER
    return None


def _explained(reason: str, message: str, status: dict[str, Any], ended: dict[str, Any]) -> str:
    if reason == "CrashLoopBackOff":
        why = ended.get("reason", "Error")
        last = str(ended.get("message") or "").strip().rpartition("\n")[2]
        said = f": {last}" if last else ""
        return f"crash loop, {why} with exit code {ended.get('exitCode', '?')}{said}"
    image = f" (image {status['image']})" if reason in _PULL and status.get("image") else ""
    return f"{reason}{image}: {message}" if message else f"{reason}{image}"
