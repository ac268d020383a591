"""Puts a backup back: clients stop, stores take the backup's content, clients start again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_infra.backup import buckets, keys, postgres
from mlops_infra.backup.clients import Clients
from mlops_infra.backup.folder import BackupFolder, Manifest
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import InputError
from mlops_infra.progress import Sink, step


def restore(
    access: StoreAccess, source: Path, clients: Clients, sink: Sink, *, replace: bool
) -> Manifest:
    """Make the managed stores hold what the backup holds, and nothing else.

    The whole backup is checked before anything is touched. Every database is replaced in one
    transaction; an interrupted restore is finished by the same call.

    Args:
        access: the stores.
        source: folder of the backup.
        clients: what works with the stores; stopped meanwhile.
        sink: progress.
        replace: consent to lose what the stores hold now.

    Raises:
        InputError: no consent, or no backup.
        FoundError: the backup is damaged; nothing was touched.
        OperationFailed: a store refuses, or is out of reach; its clients stay stopped.
    """
    folder = BackupFolder(source)
    with step(sink, "Checking the backup") as work:
        manifest = folder.read()
        work.end("done", f"of stack {manifest.stack}, {manifest.taken}")
    _agreed(access, manifest, replace=replace)
    with clients.stopped(sink):
        _databases(access, folder, manifest, sink)
        _buckets(access, folder, manifest, sink)
        _keys(access, folder, manifest, sink)
    return manifest


def missing(access: StoreAccess, manifest: Manifest) -> Sequence[str]:
    """Parts of the backup that have no managed store to go to."""
    gone = []
    if manifest.databases and not access.sql_password:
        gone.append("databases")
    if manifest.buckets and not access.object_keys:
        gone.append("buckets")
    if manifest.keys and not access.kv_service:
        gone.append("keys")
    return gone


def _agreed(access: StoreAccess, manifest: Manifest, *, replace: bool) -> None:
    if gone := missing(access, manifest):
        raise InputError(
            f"the backup holds {', '.join(gone)}, which have no managed store in the stack",
            hint="restore into a stack whose stores are managed",
        )
    if not replace:
        raise InputError(
            f"restoring replaces the content of all stores of stack '{access.stack}' "
            f"with the backup of {manifest.taken}",
            hint="to confirm, add --replace",
        )


def _databases(access: StoreAccess, folder: BackupFolder, manifest: Manifest, sink: Sink) -> None:
    total = len(manifest.databases)
    with step(sink, "Restoring databases", total=total, unit="databases") as work:
        for name, owner in manifest.databases.items():
            work.note(name)
            postgres.restore(access, name, owner, folder.sql(name))
            work.advance()


def _buckets(access: StoreAccess, folder: BackupFolder, manifest: Manifest, sink: Sink) -> None:
    if not manifest.buckets:
        return
    with buckets.opened(access) as client:
        for name in manifest.buckets:
            with step(sink, f"Restoring bucket {name}", unit="bytes") as work:
                work.end("done", f"{buckets.load(client, name, folder, work)} objects")


def _keys(access: StoreAccess, folder: BackupFolder, manifest: Manifest, sink: Sink) -> None:
    if access.kv_service and folder.keys.exists():
        with step(sink, "Restoring the key-value store", total=manifest.keys, unit="keys") as work:
            work.advance(keys.restore(access, folder.keys))
