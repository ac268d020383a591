"""What the set-up of the managed stores made by hand, compared with what is declared.

Policies and owners of buckets, accounts, roles and databases are no objects of the cluster, so no
refresh of the state sees them change. `accounts.make_again` puts right what is found here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_infra.backup import buckets, keys, postgres
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import MlopsError
from mlops_infra.plan import Literal, Plan

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ROLES = """SELECT rolname, rolcanlogin,
  rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls,
  (SELECT string_agg(held.rolname, ',') FROM pg_auth_members
   JOIN pg_roles AS held ON held.oid = roleid WHERE member = role.oid)
FROM pg_roles AS role"""
_DATABASES = """SELECT datname, pg_get_userbyid(datdba),
  has_database_privilege('public', oid, 'CONNECT') FROM pg_database"""
_EVERYBODYS = ("postgres", "template1")
"""Databases of every server, which nobody but the superuser may enter."""


@dataclass(frozen=True, slots=True)
class StoreDrift:
    """What was found."""

    found: tuple[str, ...] = ()
    """Differences, one line each."""
    notes: tuple[str, ...] = ()
    """Stores that could not be compared, and why."""


def store_drift(access: StoreAccess, plan: Plan) -> StoreDrift:
    """Compare the stores with the plan."""
    work: list[Callable[[], Iterator[str]]] = []
    names = {each.name for each in plan.components if not each.simulated}
    if access.object_service == "versitygw" and "versitygw" in names:
        work.append(lambda: _objects(access, plan))
    if access.sql_password is not None and "postgresql" in names:
        work.append(lambda: _sql(access, plan))
    if access.kv_service == "valkey" and "valkey" in names:
        work.append(lambda: _kv(access))
    if not work:
        return StoreDrift()
    with ThreadPoolExecutor(len(work)) as pool:
        each = tuple(pool.map(_collected, work))
    return StoreDrift(
        tuple(line for one in each for line in one.found),
        tuple(line for one in each for line in one.notes),
    )


def _collected(compare: Callable[[], Iterator[str]]) -> StoreDrift:
    try:
        return StoreDrift(found=tuple(compare()))
    except MlopsError as error:
        return StoreDrift(notes=(f"a store was not compared: {error.what}",))


def _objects(access: StoreAccess, plan: Plan) -> Iterator[str]:
    with buckets.opened(access) as client:
        owned = set(buckets.names(client))
        for declared in plan.component("versitygw").values["buckets"]:
            name = declared["name"]
            if name not in owned:
                yield f"object store: bucket {name} is missing, or belongs to somebody else"
            elif why := _policy(client, name, json.loads(declared["policy"])):
                yield f"object store: the policy of bucket {name} {why}"


def _policy(client: S3Client, bucket: str, declared: Mapping[str, Any]) -> str:
    """What is wrong with a bucket's policy; empty for nothing."""
    from botocore.exceptions import ClientError

    try:
        found = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in ("NoSuchBucketPolicy", "AccessDenied"):
            raise
        return "was deleted" if code == "NoSuchBucketPolicy" else "was replaced"
    if found == declared:
        return ""
    open_to_all = any("*" in json.dumps(each.get("Principal")) for each in found["Statement"])
    return "was changed" + (": it is open to everybody" if open_to_all else "")


def _sql(access: StoreAccess, plan: Plan) -> Iterator[str]:
    owners, guests = _logins(plan)
    roles = {name: rest for name, *rest in _table(access, _ROLES)}
    for role in sorted({*owners.values(), *guests}):
        for what in _role(roles.get(role), guest=role in guests):
            yield f"PostgreSQL: role {role} {what}"
    databases = {name: rest for name, *rest in _table(access, _DATABASES)}
    for database in sorted({*owners, *_EVERYBODYS}):
        for what in _database(databases.get(database), owners.get(database)):
            yield f"PostgreSQL: database {database} {what}"


def _role(found: list[str] | None, *, guest: bool) -> Iterator[str]:
    if found is None:
        yield "is missing"
        return
    signs_in, powerful, held = found
    if signs_in != "t":
        yield "may not sign in"
    if powerful == "t":
        yield "has rights of an administrator"
    if held and guest:
        yield f"has the rights of {held}"


def _database(found: list[str] | None, owner: str | None) -> Iterator[str]:
    if found is None:
        yield "is missing"
        return
    if owner is not None and found[0] != owner:
        yield f"belongs to {found[0]}"
    if found[1] == "t":
        yield "is open to every role"


def _kv(access: StoreAccess) -> Iterator[str]:
    declared, found = _users(keys.declared_accounts(access)), _users(keys.accounts(access))
    for name in sorted(declared.keys() | found.keys()):
        if name not in found:
            yield f"key-value store: account {name} is missing"
        elif name not in declared:
            yield f"key-value store: account {name} is declared nowhere"
        elif declared[name] != found[name]:
            yield f"key-value store: the rights of account {name} were changed"


def _users(lines: Iterable[str]) -> dict[str, frozenset[str]]:
    """The rules of each account; the server writes them in another order than they were given."""
    words = (line.split() for line in lines if line)
    return {each[1]: frozenset(each[2:]) - {"sanitize-payload"} for each in words}


def _logins(plan: Plan) -> tuple[dict[str, str], set[str]]:
    """Owner of each database, and the roles that are guests, from the Secrets beside the server."""
    component = plan.component("postgresql")
    kept = {spec.name: spec.keys for spec in component.secrets}
    owners: dict[str, str] = {}
    for each in component.values["databases"]:
        keys = kept[each["secret"]]
        owners[_text(keys["database"])] = _text(keys["username"])
    return owners, {_text(kept[each["secret"]]["username"]) for each in component.values["guests"]}


def _text(value: object) -> str:
    assert isinstance(value, Literal)  # noqa: S101 - names of managed accounts are no secrets
    return value.value


def _table(access: StoreAccess, query: str) -> Iterator[list[str]]:
    told = postgres.ask(access, query)
    return (line.split("|") for line in told.splitlines() if line)
