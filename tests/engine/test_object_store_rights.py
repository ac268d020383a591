"""The Job that makes accounts and buckets, run as its Pod runs it, on a real S3 gateway."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mlops_infra import places
from mlops_infra.backup import StoreAccess, buckets, store_drift
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.object_store import s3_client
from mlops_infra.plan.tenancy.buckets import Bucket, Grant
from tests.doors import objects
from tests.doors.objects import NAMES, NONE, OBJECTS, Door
from tests.engine import object_gateway

SCRIPT = places.project() / "charts" / "versitygw" / "files" / "accounts.py"
OWNER = "mlops-platform"
TENANTS = ("tenant-a", "tenant-b")
ACCOUNTS = (OWNER, "mlflow", "lifecycle", *TENANTS)
LOGINS = {name: Login(name, f"secret-of-{name}") for name in ("root", *ACCOUNTS)}
BUCKETS = (
    Bucket("mlflow", (Grant("mlflow", "mlflow-s3", "write"),)),
    *(
        Bucket(
            name,
            (Grant(name, f"{name}-s3", "write"), Grant("lifecycle", "lifecycle-s3", "list")),
            "archive",
        )
        for name in TENANTS
    ),
)
DOORS = [
    *(Door(OWNER, each.name, OBJECTS, makes=True) for each in BUCKETS),
    *(Door("mlflow", each.name, OBJECTS if each.name == "mlflow" else NONE) for each in BUCKETS),
    *(Door("lifecycle", each.name, NONE if each.name == "mlflow" else NAMES) for each in BUCKETS),
    *(Door(t, each.name, OBJECTS if each.name == t else NONE) for t in TENANTS for each in BUCKETS),
]


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with object_gateway.started(tmp_path, LOGINS["root"]) as found:
        yield found


@pytest.fixture
def job(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The Job's script with the Secrets of all accounts."""
    spec = importlib.util.spec_from_file_location("accounts", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, login in LOGINS.items():
        secret = tmp_path / "secrets" / ("root" if name == "root" else f"{name}-s3")
        secret.mkdir(parents=True)
        (secret / "accessKey").write_text(login.name)
        (secret / "secretKey").write_text(login.password)
    monkeypatch.setattr(module, "SECRETS", tmp_path / "secrets")
    monkeypatch.setattr(module, "DECLARED", tmp_path / "declared.json")
    monkeypatch.setenv("GATEWAY", endpoint)
    monkeypatch.setenv("REGION", "us-east-1")
    return module


def run(job: Any, *, without: str = "", on_removal: str | None = None) -> None:
    """Run the Job for all accounts and buckets, or for all but one tenant's."""
    buckets = [each for each in BUCKETS if each.name != without]
    declared = {
        "owner": f"{OWNER}-s3",
        "accounts": [f"{each}-s3" for each in ACCOUNTS if each not in (OWNER, without)],
        "buckets": [
            {
                "name": each.name,
                "policy": json.dumps(each.policy),
                "onRemoval": (each.on_removal and on_removal) or each.on_removal or "",
            }
            for each in buckets
        ],
    }
    job.DECLARED.write_text(json.dumps(declared))
    job.main()


def client(endpoint: str, name: str) -> Any:
    return s3_client(endpoint, LOGINS[name])


def filled(endpoint: str) -> None:
    for each in BUCKETS:
        client(endpoint, OWNER).put_object(Bucket=each.name, Key=objects.PROBE, Body=b"x")


def test_every_door_opens_or_stays_closed_as_declared(job: ModuleType, endpoint: str) -> None:
    run(job)
    filled(endpoint)
    assert objects.walk(endpoint, LOGINS, DOORS) == []
    owned = client(endpoint, OWNER).list_buckets()["Buckets"]
    assert {each["Name"] for each in owned} == {each.name for each in BUCKETS}


def test_whatever_root_changed_by_hand_is_put_right(job: ModuleType, endpoint: str) -> None:
    run(job)
    filled(endpoint)
    root = client(endpoint, "root")
    root.delete_bucket_policy(Bucket="tenant-a")
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    root.put_bucket_ownership_controls(Bucket="tenant-a", OwnershipControls=rules)
    root.put_bucket_acl(Bucket="tenant-a", ACL="public-read")
    for operation in ("put policy", "put CORS", "put tags"):
        objects.MANAGE[operation](root, "tenant-b")
    assert objects.anybody_reads(endpoint, "tenant-a")
    assert objects.anybody_reads(endpoint, "tenant-b")
    gateway = job.Gateway(endpoint, "us-east-1")
    gateway.demand("/change-bucket-owner?bucket=mlflow&owner=tenant-b")
    gateway.demand("/delete-user?access=lifecycle")
    stranger = job.account("Account", Access="stranger", Secret="s" * 9, Role="admin")
    gateway.demand("/create-user", stranger)
    run(job)
    assert objects.walk(endpoint, LOGINS, DOORS) == []
    assert "stranger" not in gateway.accounts()
    assert set(gateway.owners().values()) == {OWNER}


def test_what_root_changed_by_hand_is_named(
    job: ModuleType, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(job)
    plan = _declared(BUCKETS)

    def found() -> tuple[str, ...]:
        monkeypatch.setattr(
            buckets, "opened", lambda _: contextlib.nullcontext(client(endpoint, OWNER))
        )
        drift = store_drift(StoreAccess("s", (), object_service="versitygw"), plan)
        assert drift.notes == ()
        return drift.found

    assert found() == ()
    root = client(endpoint, "root")
    objects.MANAGE["put policy"](root, "tenant-a")
    root.delete_bucket_policy(Bucket="tenant-b")
    job.Gateway(endpoint, "us-east-1").demand("/change-bucket-owner?bucket=mlflow&owner=tenant-b")
    assert found() == (
        "object store: bucket mlflow is missing, or belongs to somebody else",
        "object store: the policy of bucket tenant-a was replaced",
        "object store: the policy of bucket tenant-b was deleted",
    )
    everybody = {**objects.PUBLIC["Statement"][0], "Resource": "arn:aws:s3:::tenant-a/*"}
    policy = {**BUCKETS[1].policy, "Statement": [*BUCKETS[1].policy["Statement"], everybody]}
    root.put_bucket_policy(Bucket="tenant-a", Policy=json.dumps(policy))
    assert any("tenant-a was changed: it is open to everybody" in each for each in found())
    run(job)
    assert found() == ()


def _declared(declared: tuple[Bucket, ...]) -> Any:
    """The part of a plan that is compared."""
    values = [{"name": each.name, "policy": json.dumps(each.policy)} for each in declared]
    store = SimpleNamespace(name="versitygw", simulated=False, values={"buckets": values})
    return SimpleNamespace(components=(store,), component=lambda _: store)


def test_buckets_that_tenants_owned_become_the_platforms(job: ModuleType, endpoint: str) -> None:
    """As earlier releases made them."""
    gateway = job.Gateway(endpoint, "us-east-1")
    login = LOGINS["tenant-a"]
    fields = {"UserID": "0", "GroupID": "0", "ProjectID": "0", "Role": "user"}
    document = job.account("Account", Access=login.name, Secret=login.password, **fields)
    gateway.demand("/create-user", document)
    gateway.demand("/tenant-a/create", headers={"x-vgw-owner": "tenant-a"})
    client(endpoint, "tenant-a").put_object(Bucket="tenant-a", Key="old", Body=b"1")
    run(job)
    filled(endpoint)
    assert client(endpoint, "tenant-a").get_object(Bucket="tenant-a", Key="old")["Body"].read()
    assert objects.walk(endpoint, LOGINS, DOORS) == []


@pytest.mark.parametrize("wish", ["archive", "purge"])
def test_a_tenant_that_leaves(job: ModuleType, endpoint: str, wish: str) -> None:
    run(job, on_removal=wish)
    filled(endpoint)
    run(job, without="tenant-a", on_removal=wish)
    owned = {each["Name"] for each in client(endpoint, OWNER).list_buckets()["Buckets"]}
    assert ("tenant-a" in owned) == (wish == "archive")
    with pytest.raises(Exception, match="InvalidAccessKeyId"):
        client(endpoint, "tenant-a").list_objects_v2(Bucket="tenant-a")
    if wish == "archive":
        with pytest.raises(Exception, match="AccessDenied"):
            client(endpoint, "lifecycle").list_objects_v2(Bucket="tenant-a")
        run(job)
        assert client(endpoint, "tenant-a").get_object(Bucket="tenant-a", Key=objects.PROBE)
