"""The buckets of the managed object store, and what each account may do with their objects.

Buckets belong to the platform. No account but the store's own set-up may change who else may use
one: policies, owners, ACLs, CORS, versioning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from mlops_infra import contract
from mlops_infra.catalog.secrets import Text
from mlops_infra.plan.model.deployment import Deployment

Access = Literal["list", "write"]
"""list: names and sizes of objects; write: reading, writing and deleting them as well."""
OnRemoval = Literal["archive", "purge"]

_LIST = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_WRITE = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectTagging",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
_LOOK = ("s3:GetBucketAcl", "s3:GetBucketPolicy", "s3:GetBucketTagging")
"""What the owner needs to compare a bucket with its declaration."""
AIRFLOW_PREFIX = "airflow/"
"""Of Airflow's logs, in MLflow's bucket: charts/airflow/values.yaml."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one account may do with the objects of a bucket."""

    account: str
    """Its access key."""
    secret: str
    """Secret with its keys, beside the store."""
    access: Access
    prefix: str = ""
    """Of the objects that it may read and write; it sees the names of all."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket and who may use it besides the platform's own account."""

    name: str
    grants: tuple[Grant, ...]
    on_removal: OnRemoval | None = None
    """What becomes of it when it is declared no more; None: it is kept."""

    @property
    def policy(self) -> dict[str, Any]:
        """The S3 policy that grants this and nothing else."""
        owner = contract.OBJECT_STORE_PLATFORM_ACCOUNT
        resource = f"arn:aws:s3:::{self.name}"
        writers: dict[str, list[str]] = {"": [owner]}
        for each in self.grants:
            if each.access == "write":
                writers.setdefault(each.prefix, []).append(each.account)
        return {
            "Version": "2012-10-17",
            "Statement": [
                _allow([owner], _LOOK, resource),
                _allow([owner, *(each.account for each in self.grants)], _LIST, resource),
                *(
                    _allow(accounts, _WRITE, f"{resource}/{prefix}*")
                    for prefix, accounts in sorted(writers.items())
                ),
            ],
        }


def _allow(accounts: list[str], actions: tuple[str, ...], resource: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": sorted(set(accounts))},
        "Action": list(actions),
        "Resource": [resource],
    }


def buckets(of: Deployment) -> tuple[Bucket, ...]:
    """Every bucket that the plan declares, by name."""
    found: dict[str, list[Grant]] = {}
    removal: dict[str, OnRemoval] = {}
    for bucket, grant in _grants(of):
        found.setdefault(bucket, []).append(grant)
    for name, tenant in of.config.tenants.items():
        removal[contract.tenant_namespace(name)] = tenant.on_removal
    return tuple(
        Bucket(name, tuple(grants), removal.get(name)) for name, grants in sorted(found.items())
    )


def _grants(of: Deployment) -> Iterator[tuple[str, Grant]]:
    config = of.config
    shared = config.stores.object.bucket
    if "mlflow" in of.selection:
        yield shared, Grant(*_keys("mlflow", of), "write")
    if "airflow" in of.selection:
        yield shared, Grant(*_keys("airflow", of), "write", AIRFLOW_PREFIX)
    if "kubeflow-pipelines" in of.selection:
        bucket = config.components.kubeflow_pipelines.settings.bucket
        yield bucket, Grant(*_keys("kubeflow-pipelines", of), "write")
    for name in config.tenants:
        account = contract.tenant_namespace(name)  # see `tenancy.accounts`
        yield account, Grant(account, f"{account}-s3", "write")
        if "lifecycle" in of.selection:
            # triggers look whether there is new data
            yield account, Grant(*_keys("lifecycle", of), "list")


def _keys(component: str, of: Deployment) -> tuple[str, str]:
    """Access key and Secret of a component, as the catalog has them."""
    secret = next(each for each in of.catalog[component].secrets if each.store == "object")
    access = secret.keys["accessKey"]
    assert isinstance(access, Text)  # noqa: S101 - a test reads the whole catalog
    return access.value, secret.name
