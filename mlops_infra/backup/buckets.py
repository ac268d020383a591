"""Copies buckets of the managed object store, object by object, several at a time."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra import contract, files
from mlops_infra.backup.folder import BackupFolder, StoredObject
from mlops_infra.backup.stores import StoreAccess
from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.object_store import s3_client
from mlops_infra.progress import Step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE = 8
_CHUNK = 1 << 20


@contextmanager
def opened(access: StoreAccess) -> Iterator[S3Client]:
    """A client with the keys of the buckets' owner, for as long as the port is forwarded.

    Raises:
        OperationFailed: the store refuses, or is out of reach.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    service = access.object_service or ""
    name, password = access.object_keys or ("", "")
    with access.forward(service) as port:
        try:
            yield s3_client(f"http://127.0.0.1:{port}", Login(name, password))
        except (BotoCoreError, ClientError) as error:
            raise OperationFailed(
                f"the object store did not answer: {error}",
                where=f"Service {contract.STORES_NAMESPACE}/{service}",
                hint=f"mlops-infra status -s {access.stack} shows its Pod",
            ) from error


def names(client: S3Client) -> list[str]:
    """All buckets."""
    return sorted(each["Name"] for each in client.list_buckets()["Buckets"])


def count(client: S3Client, bucket: str) -> int:
    """How many objects a bucket holds."""
    return sum(1 for _ in _listing(client, bucket))


def measure(client: S3Client, bucket: str, limit: int) -> tuple[int, int, bool]:
    """Number and bytes of a bucket's objects, and whether that is all: `limit` ends the count."""
    number = size = 0
    for each in _listing(client, bucket):
        if number == limit:
            return number, size, False
        number, size = number + 1, size + int(each["Size"])
    return number, size, True


def tag(client: S3Client, bucket: str, key: str) -> str | None:
    """A tag of a bucket; None where it has none."""
    from botocore.exceptions import ClientError

    try:
        tags = client.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return next((each["Value"] for each in tags if each["Key"] == key), None)


def save(client: S3Client, bucket: str, folder: BackupFolder, work: Step) -> int:
    """Copy one bucket into the folder; how many objects.

    Objects that an interrupted backup has fetched already, by an unchanged ETag, are not fetched
    again.
    """
    index = folder.bucket(bucket)
    journal = index.with_name(f".{index.name}.journal")
    held = {each.key: each for each in _journal(journal)}
    listed = list(_listing(client, bucket))
    with journal.open("a", encoding="utf-8") as log, ThreadPoolExecutor(AT_ONCE) as pool:

        def one(item: dict[str, Any]) -> StoredObject:
            known = held.get(item["Key"])
            if known and known.etag == item["ETag"] and folder.object(known.sha256).is_file():
                return known
            return _fetch(client, bucket, item["Key"], folder)

        found = []
        for each in pool.map(one, listed):
            if held.get(each.key) != each:
                log.write(json.dumps(asdict(each)) + "\n")
                log.flush()
            found.append(each)
            work.advance(each.size)
    lines = (json.dumps(asdict(each), sort_keys=True) for each in sorted(found, key=_key))
    files.write(index, "".join(f"{line}\n" for line in lines), mode=0o600)
    journal.unlink()
    return len(found)


def load(client: S3Client, bucket: str, folder: BackupFolder, work: Step) -> int:
    """Make the bucket hold what the folder holds and nothing else; how many objects.

    Content is checked against its hash while it is sent.

    Raises:
        OperationFailed: a file of the backup has another content than its name says.
    """
    if bucket not in names(client):
        client.create_bucket(Bucket=bucket)
    wanted = {each.key: each for each in folder.objects(bucket)}
    there = {item["Key"]: item for item in _listing(client, bucket)}

    def one(each: StoredObject) -> None:
        same = there.get(each.key)
        if same is None or same["ETag"] != each.etag or same["Size"] != each.size:
            _send(client, bucket, each, folder)
        work.advance(each.size)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, wanted.values()))
    for key in there.keys() - wanted.keys():
        client.delete_object(Bucket=bucket, Key=key)
    return len(wanted)


def _listing(client: S3Client, bucket: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (dict(item) for item in page.get("Contents", []))


def _fetch(client: S3Client, bucket: str, key: str, folder: BackupFolder) -> StoredObject:
    answer = client.get_object(Bucket=bucket, Key=key)
    digest, size = hashlib.sha256(), 0
    handle, fresh = tempfile.mkstemp(dir=folder.root / "objects", prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in answer["Body"].iter_chunks(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        target = folder.object(digest.hexdigest())
        target.parent.mkdir(exist_ok=True, mode=0o700)
        Path(fresh).replace(target)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
    return StoredObject(
        key=key,
        sha256=digest.hexdigest(),
        size=size,
        etag=answer["ETag"],
        content_type=answer.get("ContentType", ""),
        metadata=dict(answer.get("Metadata", {})),
    )


def _send(client: S3Client, bucket: str, each: StoredObject, folder: BackupFolder) -> None:
    from boto3.s3.transfer import S3Transfer

    file = folder.object(each.sha256)
    if files.sha256(file) != each.sha256:
        raise OperationFailed(
            f"the backup's content of {bucket}/{each.key} is damaged",
            where=str(file),
            hint="copy the folder again from its archive",
        )
    extra: dict[str, Any] = {"Metadata": each.metadata}
    if each.content_type:
        extra["ContentType"] = each.content_type
    S3Transfer(client).upload_file(str(file), bucket, each.key, extra_args=extra)


def _journal(file: Path) -> Iterator[StoredObject]:
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            yield StoredObject(**json.loads(line))
        except (ValueError, TypeError):
            return  # the last line of a killed backup: that object is fetched again


def _key(each: StoredObject) -> str:
    return each.key
