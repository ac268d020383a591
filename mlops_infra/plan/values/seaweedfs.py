"""The S3 store for sites that want more than a gateway over a file system."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_infra import contract
from mlops_infra.config.language import quantities
from mlops_infra.plan.tenancy.buckets import Bucket, Grant, buckets
from mlops_infra.plan.values.context import Context, Values

_FILES = 64
_SMALLEST, _LARGEST = 64, 30_000
"""MB of a file: more than an object's part, and what SeaweedFS allows."""


def values(context: Context) -> Values:
    """Volume, the account that may do everything, and the others with their rights."""
    declared = buckets(context.of)
    actions: dict[str, list[str]] = {}
    for bucket in declared:
        for grant in bucket.grants:
            actions.setdefault(grant.secret, []).extend(_actions(bucket, grant))
    return {
        **context.persistence("object"),
        "auth": {
            "secret": contract.OBJECT_STORE_ROOT_SECRET,
            "users": [
                {
                    "secret": contract.OBJECT_STORE_PLATFORM_SECRET,
                    "actions": ["Read", "Write", "List", "Tagging"],
                },
                *({"secret": secret, "actions": each} for secret, each in sorted(actions.items())),
            ],
        },
        "buckets": [each.name for each in declared],
        "volumeSizeMB": file_size(context.config.stores.object.size),
    }


def file_size(volume: str) -> int:
    """Size in MB of the files that objects are packed into, on a volume of the size `volume`.

    A bucket has files of its own, and the server makes no more than the volume has room for.
    """
    return min(max(int(quantities.parse(volume)) // _FILES // 2**20, _SMALLEST), _LARGEST)


def _actions(bucket: Bucket, grant: Grant) -> Iterator[str]:
    """In SeaweedFS' own words; whoever is not `Admin` changes no policy, owner or ACL."""
    yield f"List:{bucket.name}"
    if grant.access == "write":
        place = f"{bucket.name}/{grant.prefix}*" if grant.prefix else bucket.name
        yield from (f"{action}:{place}" for action in ("Read", "Write", "Tagging"))
