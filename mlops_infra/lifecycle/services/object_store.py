"""The object store of the platform, spoken to as S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.reachability import answering

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 5, 20, 2
REGION = "us-east-1"
"""What S3 gateways without regions sign with."""

_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
"""Codes of S3's conditional writes: it is there, or somebody else is writing it."""


class ObjectStore(Protocol):
    """Objects of one bucket."""

    def reach(self) -> str:
        """Ask whether the bucket is there and return where it is."""

    def put(self, key: str, body: bytes) -> None:
        """Write one object."""

    def get(self, key: str) -> bytes:
        """Read one object whole."""

    def delete(self, key: str) -> None:
        """Delete one object; an absent one is not an error."""

    def exists(self, key: str) -> bool:
        """Whether the object is there."""


def s3_client(endpoint: str, login: Login) -> S3Client:
    """A client over botocore: path style and SigV4, which every gateway understands.

    boto3 makes the same client, imports more, and every step of a pipeline waits for it.
    """
    from botocore.config import Config
    from botocore.session import Session

    client = Session().create_client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=login.name,
        aws_secret_access_key=login.password,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS},
            # Gateways need not know the checksums that newer SDKs add on their own.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return cast("S3Client", client)


class S3Store:
    """An `ObjectStore` over botocore."""

    def __init__(self, endpoint: str, bucket: str, login: Login) -> None:
        self._bucket = bucket
        self._where = f"{endpoint}/{bucket}"
        self._client = s3_client(endpoint, login)

    def reach(self) -> str:
        """Ask whether the bucket is there and return where it is."""
        answering("the object store", self._where)
        with self._translate_errors("show the bucket"):
            self._client.head_bucket(Bucket=self._bucket)
        return self._where

    def put(self, key: str, body: bytes) -> None:
        """Write one object."""
        with self._translate_errors(f"take {key}"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def create(self, key: str, body: bytes) -> bool:
        """Write one object where there is none; False where there is one, which stays as it is.

        Of several who create it at one moment, one hears True.
        """
        from botocore.exceptions import ClientError

        with self._translate_errors(f"take {key}"):
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] in _TAKEN:
                    return False
                raise
        return True

    def names(self, prefix: str) -> list[str]:
        """The keys below `prefix`, without it, in the order of their bytes."""
        with self._translate_errors(f"list {prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            return [
                item["Key"].removeprefix(prefix)
                for page in pages
                for item in page.get("Contents", [])
            ]

    def get(self, key: str) -> bytes:
        """Read one object whole."""
        with self._translate_errors(f"give {key}"):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def delete(self, key: str) -> None:
        """Delete one object; an absent one is not an error."""
        with self._translate_errors(f"delete {key}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        with self._translate_errors(f"list {key}"):
            listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return any(item.get("Key") == key for item in listed.get("Contents", []))

    @contextmanager
    def _translate_errors(self, what: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise OperationFailed(
                f"the object store did not {what}: {error}",
                where=self._where,
                hint="mlops-infra status -s STACK shows its Pod",
            ) from error
