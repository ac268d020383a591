"""What tenants that left have in the managed object store: buckets whose account is closed."""

from __future__ import annotations

from collections.abc import Collection

from mlops_infra import contract
from mlops_infra.backup import buckets
from mlops_infra.backup.stores import StoreAccess


def archived_tenants(access: StoreAccess, known: Collection[str]) -> list[tuple[str, int]]:
    """Tenants that are not `known` and still have a bucket, and how many objects it holds.

    Raises:
        OperationFailed: the store refuses, or is out of reach.
    """
    if access.object_service is None:
        return []
    prefix = contract.tenant_namespace("")
    with buckets.opened(access) as client:
        return [
            (bucket.removeprefix(prefix), buckets.count(client, bucket))
            for bucket in buckets.names(client)
            if bucket.startswith(prefix) and bucket.removeprefix(prefix) not in known
        ]
