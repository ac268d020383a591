"""Backups of a platform's own stores: databases, buckets and the lineage index.

A backup is one folder that needs no program of this kit to be read: dumps of `pg_dump`, objects as
files named by their SHA-256, keys as Valkey's own dumps, and a manifest that names and hashes all
of it. Stores that someone else runs (`state: external`) are backed up there, not here.
"""

from mlops_infra.backup.archived import archived_tenants
from mlops_infra.backup.folder import BackupFolder, Manifest
from mlops_infra.backup.holdings import holdings
from mlops_infra.backup.restoring import restore
from mlops_infra.backup.store_drift import StoreDrift, store_drift
from mlops_infra.backup.stores import StoreAccess, open_stores
from mlops_infra.backup.taking import take

__all__ = [
    "BackupFolder",
    "Manifest",
    "StoreAccess",
    "StoreDrift",
    "archived_tenants",
    "holdings",
    "open_stores",
    "restore",
    "store_drift",
    "take",
]
