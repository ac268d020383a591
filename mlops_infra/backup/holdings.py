"""What a tenant has in the managed stores, and what becomes of it when the tenant leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_infra import contract
from mlops_infra.backup import buckets, postgres
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import MlopsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_COUNTED = 100_000
"""Objects after which counting ends."""
_FATES = {"archive": "kept (onRemoval: archive)", "purge": "deleted (onRemoval: purge)"}


def holdings(access: StoreAccess, tenant: str) -> Iterator[str]:
    """One line for its bucket and one for its rows; a store that does not answer is named."""
    bucket = contract.tenant_namespace(tenant)
    if access.object_service is None:
        yield "bucket: in a store of others, it stays"
    else:
        try:
            with buckets.opened(access) as client:
                yield f"bucket {bucket}: {_bucket(client, bucket)}"
        except MlopsError as error:
            yield f"bucket {bucket}: not counted, {error.what}"
    if access.sql_password is None:
        yield "database: a store of others, its rows stay"
        return
    try:
        rows, fate = postgres.rows_of(access, tenant)
        yield f"database: {_number(rows, 'row')}, {_FATES[fate]}"
    except MlopsError as error:
        yield f"database: rows not counted, {error.what}"


def _bucket(client: S3Client, bucket: str) -> str:
    if bucket not in buckets.names(client):
        return "none"
    number, size, whole = buckets.measure(client, bucket, _COUNTED)
    told = f"{_number(number, 'object')}, {_readable(size)}"
    told = told if whole else f"more than {number} objects"
    return f"{told}, {_FATES[buckets.tag(client, bucket, contract.ON_REMOVAL_TAG) or 'archive']}"


def _number(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _readable(size: int) -> str:
    for unit, shift in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >> shift:
            return f"{size / (1 << shift):.3g} {unit}"
    return f"{size} bytes"
