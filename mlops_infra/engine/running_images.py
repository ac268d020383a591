"""Which images the Pods of a cluster use, of whatever stack: what a registry must not lose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_infra.kube import Cluster

_BARE = "sha256:"
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


def running_images(kubeconfig: Path | None, context: str | None) -> set[str]:
    """References as the Pods have them, and what they were resolved to.

    Pods that have ended count too while they are there: a Job may start them once more.

    Raises:
        InputError: the kubeconfig cannot be used.
        OperationFailed: the cluster does not answer.
    """
    found = Cluster.open(kubeconfig, context).get("/api/v1/pods")
    return {image for pod in found["items"] for image in _of(pod)}


def _of(pod: Mapping[str, Any]) -> set[str]:
    spec, status = pod["spec"], pod.get("status") or {}
    declared = [each for kind in _CONTAINERS for each in spec.get(kind) or ()]
    states = [each for kind in _STATUSES for each in status.get(kind) or ()]
    found = {each.get("image") for each in (*declared, *states)}
    # what kubelet has not pulled yet has no identity, and some runtimes give a bare digest
    found |= {each.get("imageID") for each in states}
    return {text for text in found if text and not text.startswith(_BARE)}
