"""Rules between keys of the aws profile's ground: account, network, lake, keys, stores, policy."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_infra.config.aws.rules.names import Broken
from mlops_infra.config.language.buckets import bucket_name
from mlops_infra.config.language.document import Path, Tree
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.config.language.tree import get, items, section

KIT_TAGS = "mlops-infra:"
HARDENED_LOG_DAYS = 365
"""CKV_AWS_338, and what auditors ask for: a year."""
GROWTH_PERCENT = 110
"""RDS refuses a limit of storage that is less than a tenth above its size."""

SMALLEST_OWN, SMALLEST_OF_AWS = 24, 28
"""A new VPC is divided by sixteen, and a subnet has at least sixteen addresses."""


def _strict(tree: Tree) -> bool:
    return tree.get("policy") in ("standard", "hardened")


def _zones(tree: Tree) -> Iterator[Broken]:
    zones = items(tree, "aws", "zones")
    for index, zone in enumerate(zones):
        if zone in zones[:index]:
            yield ("aws", "zones", index), f"'{zone}' is duplicated", None
    gateways = get(tree, "aws", "vpc", "natGateways")
    if zones and isinstance(gateways, int) and gateways > len(zones):
        message = f"{gateways} gateways in {len(zones)} zones: one zone uses one"
        yield ("aws", "vpc", "natGateways"), message, f"at most {len(zones)}"


def _existing_vpc(tree: Tree) -> Iterator[Broken]:
    vpc = section(tree, "aws", "vpc")
    if not vpc.get("id"):
        return
    subnets = items(tree, "aws", "vpc", "subnets")
    for index, subnet in enumerate(subnets):
        if subnet in subnets[:index]:
            yield ("aws", "vpc", "subnets", index), f"'{subnet}' is duplicated", None
    if _strict(tree) and len(subnets) == 1:
        message = "one subnet is a single point of failure"
        yield ("aws", "vpc", "subnets"), message, "name two or more, in different zones"
    if not vpc.get("cidr"):
        message = "is missing: security groups let traffic into the existing VPC's addresses"
        yield ("aws", "vpc", "cidr"), message, "for example 10.20.0.0/16"
    if vpc.get("natGateways"):
        message = "an existing VPC has its own gateways"
        yield ("aws", "vpc", "natGateways"), message, "remove it, or remove vpc.id"
    if items(tree, "aws", "zones"):
        message = "the zones are those of the existing subnets"
        yield ("aws", "zones"), message, "remove it, or remove vpc.id"


def _own_vpc(tree: Tree) -> Iterator[Broken]:
    cidr = get(tree, "aws", "vpc", "cidr")
    if get(tree, "aws", "vpc", "id") or not isinstance(cidr, str):
        return
    length = cidr.rpartition("/")[2]
    if length.isdigit() and SMALLEST_OWN < int(length) <= SMALLEST_OF_AWS:
        message = f"/{length} is too small for sixteen subnets"
        yield ("aws", "vpc", "cidr"), message, f"/16 to /{SMALLEST_OWN}"


def _account(tree: Tree) -> Iterator[Broken]:
    """Identities must be of the stack's own account, keys of its own region."""
    account, region = get(tree, "aws", "account"), get(tree, "aws", "region")
    for path in (("aws", "role"), ("aws", "permissionsBoundary")):
        arn = get(tree, *path)
        found = arn.split(":") if isinstance(arn, str) else []
        foreign = len(found) > 4 and found[4].isdigit() and found[4] != account
        if foreign:
            yield path, f"is of account {found[4]}, the stack of {account}", None
    for key in ("key", "logsKey"):
        arn = get(tree, "aws", "kms", key)
        parts = arn.split(":") if isinstance(arn, str) else []
        if len(parts) > 3 and isinstance(region, str) and parts[3] != region:
            message = f"is in region {parts[3]}, the stack in {region}"
            yield ("aws", "kms", key), message, "a key is used in its own region only"


def _lake(tree: Tree) -> Iterator[Broken]:
    lake = section(tree, "aws", "lake")
    base: Path = ("aws", "lake")
    if lake.get("objectLock") is True and lake.get("versioning") is False:
        yield (*base, "versioning"), "object lock needs versions", "true"
    if lake.get("objectLockDays") is not None and lake.get("objectLock") is not True:
        yield (*base, "objectLock"), "is missing: objectLockDays has no effect without", "true"
    if lake.get("objectLock") is True and lake.get("forceDestroy") is True:
        message = "locked objects cannot be emptied on `down`"
        yield (*base, "forceDestroy"), message, "remove it, or remove objectLock"
    cold, end = lake.get("rawToColdDays"), get(tree, "aws", "lake", "expireDays", "raw")
    if isinstance(cold, int) and isinstance(end, int) and cold >= end:
        message = f"raw data is deleted after {end} days but would move after {cold}"
        yield (*base, "rawToColdDays"), message, f"less than {end}"
    locked = lake.get("objectLockDays")
    if isinstance(locked, int) and isinstance(end, int) and locked > end:
        message = f"an object of raw is locked for {locked} days and cannot be deleted after {end}"
        yield (*base, "expireDays", "raw"), message, f"at least {locked}"


def _stores(tree: Tree) -> Iterator[Broken]:
    size = get(tree, "aws", "stores", "sql", "storageGib")
    size = 20 if size is None else size
    limit = get(tree, "aws", "stores", "sql", "storageLimitGib")
    if isinstance(size, int) and isinstance(limit, int) and limit * 100 < size * GROWTH_PERCENT:
        least = -(-size * GROWTH_PERCENT // 100)
        message = f"{limit} is too close to storageGib {size}"
        yield ("aws", "stores", "sql", "storageLimitGib"), message, f"at least {least}"


def _hardened(tree: Tree) -> Iterator[Broken]:
    if tree.get("policy") != "hardened":
        return
    days = get(tree, "aws", "logRetentionDays")
    if isinstance(days, int) and days < HARDENED_LOG_DAYS:
        message = "policy hardened requires logs for a year"
        yield ("aws", "logRetentionDays"), message, f"{HARDENED_LOG_DAYS} or more"
    window = get(tree, "aws", "kms", "deletionWindowDays")
    if isinstance(window, int) and window < 30:
        message = "policy hardened requires 30 days until a key is destroyed"
        yield ("aws", "kms", "deletionWindowDays"), message, "30"
    for path, why in _ALWAYS_ON.items():
        if get(tree, *path) is False:
            yield path, f"policy hardened {why}", "true"


_ALWAYS_ON: dict[tuple[str, ...], str] = {
    ("aws", "lake", "versioning"): "keeps old versions of data",
    ("aws", "lake", "accessLogs"): "records who reads what",
    ("aws", "vpc", "flowLogs"): "records connections",
}


def _kit_tags(tree: Tree) -> Iterator[Broken]:
    for key in section(tree, "aws", "tags"):
        if key.lower().startswith(KIT_TAGS):
            yield ("aws", "tags", key), f"keys that begin with '{KIT_TAGS}' are reserved", None


def _images(tree: Tree) -> Iterator[Broken]:
    names = items(tree, "aws", "images", "repositories")
    for index, name in enumerate(names):
        if name in names[:index]:
            yield ("aws", "images", "repositories", index), f"'{name}' is duplicated", None


def _prefix(tree: Tree) -> Iterator[Broken]:
    """Buckets begin with the prefix."""
    prefix = get(tree, "aws", "prefix")
    if not isinstance(prefix, str) or not prefix.islower():
        return  # its type has said so
    try:
        bucket_name(f"{prefix}-stack-raw")
    except InvalidValueError as error:
        yield ("aws", "prefix"), f"buckets begin with it, and {error}", "choose another one"


RULES = (
    _prefix,
    _zones,
    _existing_vpc,
    _own_vpc,
    _account,
    _lake,
    _stores,
    _hardened,
    _kit_tags,
    _images,
)
