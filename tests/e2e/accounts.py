"""The accounts of a running platform before the doors of its stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra import toolchain
from mlops_infra.kube.tunnel import forwarded_port
from mlops_infra.lifecycle.services.credentials import ClusterSecrets, Login
from mlops_infra.lifecycle.services.object_store import s3_client
from mlops_infra.progress import quiet
from tests.doors import keys, objects, sql
from tests.doors.objects import NAMES, NONE, OBJECTS, Door
from tests.e2e.platform import Platform

STORES = "mlops-stores"
TENANTS = ("demo", "other")
PLATFORM = {
    "mlflow": "mlflow-s3",
    "lifecycle": "lifecycle-s3",
    "mlops-platform": "object-store-platform",
}
"""Accounts of the object store and their Secrets."""


def logins(platform: Platform) -> dict[str, Login]:
    """Keys of every account of the object store, root among them."""
    secrets = {f"tenant-{name}": f"tenant-{name}-s3" for name in TENANTS}
    secrets |= {**PLATFORM, "root": "object-store-root"}
    read = ClusterSecrets(platform.kubeconfig)
    found = {name: read.read(STORES, secret) for name, secret in secrets.items()}
    return {name: Login(each["accessKey"], each["secretKey"]) for name, each in found.items()}


def doors() -> list[Door]:
    """What opens to whom."""
    own = [f"tenant-{name}" for name in TENANTS]
    buckets = ["mlflow", *own]
    opens: Mapping[str, Mapping[str, frozenset[str]]] = {
        "mlflow": {"mlflow": OBJECTS},
        "lifecycle": dict.fromkeys(own, NAMES),
        "mlops-platform": dict.fromkeys(buckets, OBJECTS),
        **{name: {name: OBJECTS} for name in own},
    }
    return [
        Door(account, bucket, each.get(bucket, NONE), makes=account == "mlops-platform")
        for account, each in opens.items()
        for bucket in buckets
    ]


def walk(platform: Platform) -> list[str]:
    """What is open and should not be, or closed and should not be, at all three stores."""
    endpoint, held = platform.outputs["object_endpoint"], logins(platform)
    owner = s3_client(endpoint, held["mlops-platform"])
    buckets = {door.bucket for door in doors()}
    for bucket in buckets:
        owner.put_object(Bucket=bucket, Key=objects.PROBE, Body=b"x")
    found = objects.walk(endpoint, held, doors())
    for bucket in buckets:
        for each in owner.list_objects_v2(Bucket=bucket, Prefix=objects.PROBE).get("Contents", []):
            owner.delete_object(Bucket=bucket, Key=each["Key"])
    return found + _sql(platform) + _keys(platform)


def _sql(platform: Platform) -> list[str]:
    kubectl = (str(toolchain.ensure(["kubectl"], quiet)["kubectl"].path),)
    words: Any = (*kubectl, "--kubeconfig", str(platform.kubeconfig))
    read = ClusterSecrets(platform.kubeconfig)
    with forwarded_port(words, STORES, "svc/postgresql", 5432) as port:
        guests = []
        for name in TENANTS:
            login = read.read(f"tenant-{name}", "lifecycle-db")
            words = f"host=127.0.0.1 port={port} user={login['username']}"
            guests.append(sql.Guest(name, f"{words} password={login['password']}"))
        return sql.walk(guests)


def _keys(platform: Platform) -> list[str]:
    read = ClusterSecrets(platform.kubeconfig)
    accounts = []
    for name in TENANTS:
        login = read.read(f"tenant-{name}", "lineage")
        accounts.append(keys.Account(name, login["username"], login["password"]))
    return keys.walk(platform.outputs["lineage_endpoint"], accounts)
