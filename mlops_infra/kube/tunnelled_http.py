"""HTTP to a server inside of a cluster, through a tunnel of the Kubernetes API."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.failures import ApiError, UnreachableError
from mlops_infra.kube.objects import Object, holds, metadata, name_of
from mlops_infra.kube.reading import pods
from mlops_infra.kube.tunnel import pod_socket


def tunnelled(
    kubeconfig: Path | None,
    context: str | None,
    *,
    title: str,
    namespace: str,
    labels: Mapping[str, str],
    port: int,
    seconds: float,
) -> http.client.HTTPConnection:
    """A connection to a ready Pod, as `kubectl port-forward` makes it.

    Args:
        kubeconfig: of the cluster; None: this Pod's account or the default kubeconfig.
        context: of the kubeconfig.
        title: what the server is called in errors.
        namespace: of its Pods.
        labels: that its Pods carry.
        port: of its Pods.
        seconds: longest silence.

    Raises:
        OperationFailed: no Pod is ready, or the cluster opens no tunnel.
    """
    try:
        cluster = Cluster.open(kubeconfig, context)
        ready = [pod for pod in pods(cluster, namespace, labels) if _is_ready(pod)]
        if not ready:
            raise OperationFailed(
                f"no Pod of {title} is ready",
                where=f"namespace {namespace}",
                hint="mlops-infra status -s STACK shows why",
            )
        found = pod_socket(cluster, namespace, name_of(ready[0]), port, seconds=seconds)
    except (ApiError, UnreachableError) as error:
        raise OperationFailed(
            f"no tunnel to {title}: {error.what}",
            where=f"cluster of {kubeconfig or 'the default kubeconfig'}",
        ) from error
    made = http.client.HTTPConnection(name_of(ready[0]), timeout=seconds)
    made.sock = found
    return made


def _is_ready(pod: Object) -> bool:
    return "deletionTimestamp" not in metadata(pod) and holds(pod, "Ready")
