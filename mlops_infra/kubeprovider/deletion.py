"""Deleting an object and waiting until it is gone."""

from __future__ import annotations

import time

from mlops_infra.kube.objects import condition
from mlops_infra.kubeprovider import managers
from mlops_infra.kubeprovider.kinds import is_crd
from mlops_infra.kubeprovider.objects import Object, annotation, is_true, metadata, title
from mlops_infra.kubeprovider.problems import ApiError, ProviderError
from mlops_infra.kubeprovider.readiness import SKIP
from mlops_infra.kubeprovider.waits import Watch, limit_for, pauses

_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
_POLICIES = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
_SKIPPED = frozenset(
    {
        "DaemonSet",
        "Deployment",
        "Job",
        "Namespace",
        "Pod",
        "ReplicationController",
        "StatefulSet",
    }
)
"""Kinds whose deletion is not waited for under `pulumi.com/skipAwait` (official provider)."""
_LEAVES = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CustomResourceDefinition",
        "LimitRange",
        "MutatingWebhookConfiguration",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds that own nothing. Asked to go in the foreground they would wait for the garbage collector,
which stands still for up to half a minute whenever a definition has come or gone."""
_NOT_FOUND = 404
_CONFLICT = 409
_STUCK = (
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
)


def delete(watch: Watch, recorded: Object, manager: str, asked: float) -> None:
    """Delete the recorded object; that it is gone already is fine.

    Raises:
        ProviderError: the server refuses, or the object is still there when time is up.
    """
    cluster = watch.cluster
    path = cluster.living_path(recorded)
    if path is None:
        return  # its definition went before it, and took it along
    uid = _request(watch, path, recorded, manager)
    if uid is None:
        return
    if is_crd(str(recorded.get("apiVersion")), str(recorded.get("kind"))):
        cluster.forget_definition(recorded)
    if is_true(recorded, SKIP) and recorded.get("kind") in _SKIPPED:
        return
    _until_gone(watch, path, uid, recorded, limit_for(recorded, asked))


def _request(watch: Watch, path: str, recorded: Object, manager: str) -> str | None:
    """Ask for the deletion; gives the uid to wait for, or None where there is nothing to do."""
    uid = metadata(recorded).get("uid")
    if not uid:
        live = watch.cluster.client.find(path)
        uid = metadata(live).get("uid") if live else None
    if not uid:
        return None
    try:
        _send(watch, path, recorded, uid)
    except ApiError as error:
        if error.code == _NOT_FOUND:
            return None
        if error.code != _CONFLICT:
            raise
        return _request_successor(watch, path, recorded, manager)
    return str(uid)


def _request_successor(watch: Watch, path: str, recorded: Object, manager: str) -> str | None:
    """Another object has taken the name: delete it only if this resource made it."""
    live = watch.cluster.client.find(path)
    if live is None:
        return None
    if not managers.owns(live, manager):
        watch.report(f"{title(recorded)} was replaced by somebody else and is left alone")
        return None
    uid = metadata(live)["uid"]
    _send(watch, path, recorded, uid)
    return str(uid)


def _send(watch: Watch, path: str, recorded: Object, uid: str) -> None:
    asked = annotation(recorded, _PROPAGATION).lower()
    default = "Background" if recorded.get("kind") in _LEAVES else "Foreground"
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": _POLICIES.get(asked, default),
        "preconditions": {"uid": uid},
    }
    watch.cluster.client.write("DELETE", path, options)


def _until_gone(watch: Watch, path: str, uid: str, recorded: Object, limit: float) -> None:
    started = time.monotonic()
    for pause in pauses():
        live = watch.cluster.client.find(path)
        if live is None or metadata(live).get("uid") != uid:
            return
        why = _holding(live)
        waited = time.monotonic() - started
        if watch.stop.cancelled:
            raise ProviderError(f"{title(recorded)}: interrupted while it was being deleted; {why}")
        if waited > limit:
            raise ProviderError(f"{title(recorded)} is still there after {waited:.0f} s: {why}")
        watch.report(f"waiting until it is gone: {why}")
        watch.stop.sleep(pause)


def _holding(live: Object) -> str:
    """What keeps an object that was asked to go."""
    found = [condition(live, kind) for kind in _STUCK]
    told = [str(c["message"]) for c in found if c.get("status") == "True" and c.get("message")]
    if told:
        return " ".join(told)
    finalizers = metadata(live).get("finalizers") or []
    held = [f for f in finalizers if f != "foregroundDeletion"]
    if held:
        return f"held by finalizers {', '.join(held)}"
    return "its dependents are being deleted" if finalizers else "it is shutting down"
