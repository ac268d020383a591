"""The cluster as a teardown changes it: deletions and patches that do not mind what has gone."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.kube import ApiError, Cluster, UnreachableError
from mlops_infra.kube.cluster import MERGE
from mlops_infra.kube.survey import Found

TIMEOUT = 15.0
"""Longest silence of a request, seconds: admission webhooks are waited for 10 s by default."""


_CALL_FAILED = "failed calling webhook"
_CACHE_SECONDS = 5.0
"""The API server hears a moment later that a webhook has gone, or answers again."""
_PERIOD = 0.5


def open_cluster(kubeconfig: str | None, context: str | None) -> Cluster:
    """Open the cluster and see that it answers.

    Raises:
        InputError: the kubeconfig is wrong.
        OperationFailed: the cluster does not answer.
    """
    cluster = Cluster.open(kubeconfig, context, seconds=TIMEOUT)
    try:
        cluster.version()
    except (ApiError, UnreachableError) as error:
        raise OperationFailed(
            error.what,
            where=kubeconfig or "the default kubeconfig",
            hint="bring it back, or, if it no longer exists: "
            "mlops-infra down -s STACK --forget-unreachable",
        ) from error
    return cluster


def delete(cluster: Cluster, path: str, *, grace: int | None = None) -> bool:
    """Ask for the deletion of the object at `path`; whether it was there.

    Args:
        cluster: the cluster.
        path: API path of the object.
        grace: seconds that a Pod has to end; None: what it asks for itself.

    Raises:
        ApiError: the cluster, or an admission webhook, refuses.
    """
    query = {"propagationPolicy": "Background"}
    if grace is not None:
        query["gracePeriodSeconds"] = str(grace)
    return _unless_gone(cluster, "DELETE", path, query, None, MERGE)


def patch(cluster: Cluster, path: str, body: Any, *, content: str = MERGE) -> bool:
    """Patch the object at `path`; whether it was there. Raises like `delete`."""
    return _unless_gone(cluster, "PATCH", path, None, body, content)


def drop_finalizers(cluster: Cluster, found: Found, names: tuple[str, ...]) -> None:
    """Take `names` off an object although nobody cleans up behind it. Raises like `delete`."""
    kept = [each for each in found.finalizers if each not in names]
    patch(cluster, found.path, {"metadata": {"finalizers": kept or None}})


def _unless_gone(
    cluster: Cluster,
    method: str,
    path: str,
    query: dict[str, str] | None,
    body: Any,
    content: str,
) -> bool:
    ends = time.monotonic() + _CACHE_SECONDS
    while True:
        try:
            cluster.send(method, path, query, body=body, content=content)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            if _CALL_FAILED not in error.message or time.monotonic() > ends:
                raise
            time.sleep(_PERIOD)
        else:
            return True
