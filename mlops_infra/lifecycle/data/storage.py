"""Reads and writes what steps hand to each other: files, or objects of an S3 store.

A place is a path, `s3://bucket/key`, or `s3:///key` in the tenant's own bucket.
Files are written beside their name first and moved then, so
that a killed step never leaves half a file under the right name; an object appears whole or not.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.lifecycle.services.object_store import S3Store

LARGEST = 2 << 30
"""Bytes of one file; steps hold it in memory."""


def read(place: str, around: Environment) -> bytes:
    """The content of a place.

    Raises:
        InputError: there is nothing, or it is too large.
        OperationFailed: the object store does not answer.
    """
    if is_object(place):
        bucket, key = split(place, around)
        store = _store(around, bucket)
        if not store.exists(key):
            raise InputError("the object does not exist", where=place)
        return store.get(key)
    path = Path(place)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"the file is larger than {LARGEST >> 30} GiB", where=place)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror}", where=place) from error


def write(place: str, body: bytes, around: Environment) -> None:
    """Write all of `body` to a place, or nothing.

    Raises:
        OperationFailed: the disk or the object store refuses.
    """
    if is_object(place):
        bucket, key = split(place, around)
        _store(around, bucket).put(key, body)
        return
    path = Path(place)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(body)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OperationFailed(f"cannot write the file: {error.strerror}", where=place) from error


def create(place: str, body: bytes, around: Environment) -> bool:
    """Write an object where there is none; False where there is one, which stays as it is.

    Raises:
        OperationFailed: the object store refuses.
    """
    bucket, key = split(place, around)
    return _store(around, bucket).create(key, body)


def names(folder: str, around: Environment) -> list[str]:
    """The keys of all objects below an `s3://` folder, which ends in `/`, without the folder.

    Raises:
        OperationFailed: the object store does not answer.
    """
    bucket, prefix = split(folder, around)
    return _store(around, bucket).names(prefix)


def exists(place: str, around: Environment) -> bool:
    """Whether there is something."""
    if is_object(place):
        bucket, key = split(place, around)
        return _store(around, bucket).exists(key)
    return Path(place).is_file()


def digest(body: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def is_object(place: str) -> bool:
    """Whether the place is an object and not a file."""
    return place.startswith("s3://")


def split(url: str, around: Environment) -> tuple[str, str]:
    """Bucket and key of an object; raises `InputError` where there is no bucket or no key."""
    parts = urlsplit(url)
    bucket, key = parts.netloc or around.bucket, parts.path.lstrip("/")
    if parts.scheme != "s3" or not key:
        raise InputError(f"'{url}' is not an object", hint="write s3://bucket/key")
    if not bucket:
        raise InputError(
            f"'{url}' has no bucket", where=f"environment variable {contract.BUCKET_VARIABLE}"
        )
    return bucket, key


def _store(around: Environment, bucket: str) -> S3Store:
    if around.object_endpoint is None or around.objects is None:
        raise InputError(
            "no object store is configured",
            where="AWS_ENDPOINT_URL_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
            hint="it is set in a tenant's Pods; elsewhere use -s STACK --tenant NAME",
        )
    return _client(around.object_endpoint, bucket, around.objects)


@lru_cache(maxsize=8)
def _client(endpoint: str, bucket: str, login: Login) -> S3Store:
    return S3Store(endpoint, bucket, login)
