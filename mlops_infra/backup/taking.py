"""Takes a backup: databases first, then the objects they name, then the index of lineage."""

from __future__ import annotations

import datetime
from pathlib import Path

from mlops_infra import __version__
from mlops_infra.backup import buckets, keys, postgres
from mlops_infra.backup.folder import BackupFolder, Manifest
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.progress import Sink, step


def take(access: StoreAccess, target: Path, sink: Sink) -> Manifest:
    """Copy all managed stores into the folder `target`.

    The platform goes on working meanwhile. Databases are dumped before objects are copied: what a
    database names is in the store by then, and objects are never changed in place. An interrupted
    backup is continued by the same call.

    Raises:
        InputError: the folder has a finished backup, or something else.
        OperationFailed: a store refuses, or is out of reach.
    """
    folder = BackupFolder(target)
    folder.prepare()
    owners = _databases(access, folder, sink) if access.sql_password else {}
    counts = _buckets(access, folder, sink) if access.object_keys else {}
    number = _keys(access, folder, sink) if access.kv_service else 0
    manifest = Manifest(
        stack=access.stack,
        version=__version__,
        taken=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        databases=owners,
        buckets=counts,
        keys=number,
        files=folder.describe(),
    )
    folder.finish(manifest)
    return manifest


def _databases(access: StoreAccess, folder: BackupFolder, sink: Sink) -> dict[str, str]:
    owners = postgres.databases(access)
    with step(sink, "Dumping databases", total=len(owners), unit="databases") as work:
        for name in owners:
            work.note(name)
            postgres.dump(access, name, folder.sql(name))
            work.advance()
    return owners


def _buckets(access: StoreAccess, folder: BackupFolder, sink: Sink) -> dict[str, int]:
    counts = {}
    with buckets.opened(access) as client:
        for name in buckets.names(client):
            with step(sink, f"Copying bucket {name}", unit="bytes") as work:
                counts[name] = buckets.save(client, name, folder, work)
                work.end("done", f"{counts[name]} objects")
    return counts


def _keys(access: StoreAccess, folder: BackupFolder, sink: Sink) -> int:
    with step(sink, "Copying the key-value store") as work:
        number = keys.dump(access, folder.keys)
        work.end("done", f"{number} keys")
    return number
