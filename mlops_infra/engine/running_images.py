"""Which images the Pods of a cluster use, of whatever stack: what a registry must not lose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_infra.engine.pods import TIMEOUT, Cluster
from mlops_infra.errors import OperationFailed

_BARE = "sha256:"


def running_images(kubeconfig: Path | None, context: str | None) -> set[str]:
    """References as the Pods have them, and what they were resolved to.

    Pods that have ended count too while they are there: a Job may start them once more.

    Raises:
        OperationFailed: the cluster does not answer.
    """
    import urllib3
    from kubernetes import client

    try:
        core = Cluster(str(kubeconfig) if kubeconfig else None, context).core
        pods = core.list_pod_for_all_namespaces(_request_timeout=TIMEOUT).items
    except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        raise OperationFailed(
            f"the cluster cannot be reached: {getattr(error, 'reason', None) or error}",
            where=str(kubeconfig) if kubeconfig else "the default kubeconfig",
            hint="check that it runs: kubectl get nodes",
        ) from error
    return {image for pod in pods for image in _of(pod)}


def _of(pod: Any) -> set[str]:
    spec, status = pod.spec, pod.status
    declared = [*spec.containers, *(spec.init_containers or ()), *(spec.ephemeral_containers or ())]
    states = [
        *(status.container_statuses or ()),
        *(status.init_container_statuses or ()),
        *(status.ephemeral_container_statuses or ()),
    ]
    found = {each.image for each in (*declared, *states)}
    # what kubelet has not pulled yet has no identity, and some runtimes give a bare digest
    found |= {each.image_id for each in states}
    return {text for text in found if text and not text.startswith(_BARE)}
