"""Creating and changing objects: server-side apply, and the cases where that is not enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mlops_infra.kubeprovider import managers
from mlops_infra.kubeprovider.client import APPLY, JSON_PATCH
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.kinds import is_crd
from mlops_infra.kubeprovider.objects import Object, is_true, metadata, name_of, title
from mlops_infra.kubeprovider.problems import ApiError, KindMissingError, ProviderError
from mlops_infra.kubeprovider.waits import Watch, pauses

_FORCE = "pulumi.com/patchForce"
_KIND_SECONDS = 15.0
"""How long a kind may be missing: a definition is served a moment after it is Established."""
_WEBHOOK_SECONDS = 60.0
"""How long an admission webhook may be away: its Pod may have become ready just now."""
_CONFLICT_TRIES = 5
_NOT_FOUND = 404
_CONFLICT = 409
_INVALID = 422


def preview(
    cluster: Cluster, obj: Object, manager: str, *, creating: bool = False
) -> Object | None:
    """What the server would store; None where it cannot tell yet.

    Args:
        cluster: where.
        obj: the inputs.
        manager: field manager.
        creating: this stands for a create. Where an object is in the way it is a replacement, and
            what the server says about changing the old one says nothing about the new one.

    Raises:
        ApiError: it would refuse the object.
    """
    try:
        if is_crd(str(obj.get("apiVersion")), str(obj.get("kind"))) or not name_of(obj):
            return None
        live = _apply(cluster, obj, manager, force=True, dry_run=True)
    except KindMissingError:
        return None
    except ApiError as error:
        if error.code in {403, _NOT_FOUND, _CONFLICT} or "dry run" in error.message:
            return None
        if creating and error.code == _INVALID and cluster.client.find(cluster.path_of(obj)):
            return None
        raise
    live.pop("status", None)
    return live


def create(watch: Watch, obj: Object, manager: str) -> Object:
    """Create an object, or adopt the one that an interrupted run of this resource left behind.

    Raises:
        ProviderError: it exists already and somebody else made it, or the server refuses it.
    """
    return _patiently(watch, lambda: _create(watch.cluster, obj, manager))


def update(watch: Watch, obj: Object, old: Object, manager: str) -> Object:
    """Bring an object to its new inputs; one that has vanished is made again."""
    return _patiently(watch, lambda: _update(watch.cluster, obj, old, manager))


def _create(cluster: Cluster, obj: Object, manager: str) -> Object:
    if not name_of(obj):
        # metadata.generateName: the server names it
        path = cluster.kind_of(obj).path(metadata(obj).get("namespace"))
        return cluster.client.write("POST", path, obj, query={"fieldManager": manager})
    live = cluster.client.find(cluster.path_of(obj))
    if live is None:
        if is_crd(str(obj["apiVersion"]), str(obj["kind"])):
            path = cluster.kind_of(obj).path(None)
            return cluster.client.write("POST", path, obj, query={"fieldManager": manager})
        return _apply(cluster, obj, manager, force=False)
    if not managers.owns(live, manager) and not cluster.settings.upsert_existing:
        raise ProviderError(
            f"{title(obj)} already exists and this resource did not make it. Delete it, give it"
            " another name, or take it over with the resource option import"
        )
    return _update(cluster, obj, {}, manager)


def _update(cluster: Cluster, obj: Object, old: Object, manager: str) -> Object:
    for attempt in range(_CONFLICT_TRIES):
        try:
            live = cluster.client.find(cluster.path_of(obj))
            if live is None:
                return _create(cluster, obj, manager)
            if is_crd(str(obj["apiVersion"]), str(obj["kind"])):
                return _put(cluster, obj, old, live, manager)
            _hand_over(cluster, live, manager)
            force = cluster.settings.patch_force or is_true(obj, _FORCE)
            return _apply(cluster, obj, manager, force=force)
        except ApiError as error:
            stale = error.code == _CONFLICT and not _conflicts(error)
            if not stale or attempt == _CONFLICT_TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")


def _apply(
    cluster: Cluster, obj: Object, manager: str, *, force: bool, dry_run: bool = False
) -> Object:
    query = {"fieldManager": manager, "force": str(force).lower()}
    if dry_run:
        query["dryRun"] = "All"
    try:
        return cluster.client.write("PATCH", cluster.path_of(obj), obj, query=query, content=APPLY)
    except ApiError as error:
        conflicts = _conflicts(error)
        if not conflicts:
            raise
        raise ApiError(
            error.code,
            error.reason,
            f"{title(obj)}: fields owned by other field managers: {'; '.join(conflicts)}. To take"
            f' them over, give it the annotation {_FORCE}: "true"; to leave them alone, use the'
            " resource option ignoreChanges",
            error.details,
        ) from error


def _conflicts(error: ApiError) -> list[str]:
    if error.code != _CONFLICT:
        return []
    return [
        f"{cause.get('field', '')} ({cause.get('message', '')})"
        for cause in error.details.get("causes") or []
        if cause.get("reason") == "FieldManagerConflict"
    ]


def _hand_over(cluster: Cluster, live: Object, manager: str) -> None:
    """Rename the entry that a Create left, see `managers.migrated`."""
    fields = managers.migrated(live, manager)
    if fields is None:
        return
    version = metadata(live).get("resourceVersion")
    patch: list[dict[str, Any]] = [
        {"op": "replace", "path": "/metadata/managedFields", "value": fields},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
    ]
    path = cluster.path_of(live)
    cluster.client.write("PATCH", path, patch, content=JSON_PATCH)


def _put(cluster: Cluster, obj: Object, old: Object, live: Object, manager: str) -> Object:
    """Replace a definition: apply would merge schemas by key and keep what was dropped."""
    meta = dict(metadata(live))
    for section in ("labels", "annotations"):
        dropped = set(metadata(old).get(section) or {})
        kept = {k: v for k, v in (meta.get(section) or {}).items() if k not in dropped}
        meta[section] = {**kept, **(metadata(obj).get(section) or {})}
    meta.pop("managedFields", None)
    body = {**obj, "metadata": meta}
    path = cluster.path_of(obj)
    return cluster.client.write("PUT", path, body, query={"fieldManager": manager})


def _patiently(watch: Watch, attempt: Callable[[], Object]) -> Object:
    """Try again while a kind is about to be served or a webhook about to answer."""
    started = time.monotonic()
    for pause in pauses():
        waited = time.monotonic() - started
        try:
            return attempt()
        except KindMissingError:
            if waited > _KIND_SECONDS or watch.stop.cancelled:
                raise
            watch.report("waiting for the API server to serve this kind")
        except ApiError as error:
            if not _is_passing(error) or waited > _WEBHOOK_SECONDS or watch.stop.cancelled:
                raise
            watch.report("waiting for an admission webhook to answer")
        watch.stop.sleep(pause)
    raise AssertionError("pauses never end")


def _is_passing(error: ApiError) -> bool:
    return error.code >= 500 and "failed calling webhook" in error.message
