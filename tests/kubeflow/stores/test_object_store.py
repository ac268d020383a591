"""SeaweedFS: ten thousand objects, a kill, and all of them again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.platform import Platform, cluster_client

OBJECTS = 10_000
WRITERS = 8


def test_ten_thousand_objects_outlive_a_kill(platform: Platform) -> None:
    bucket = platform.objects("mlflow")
    keys = [f"many/{number:05d}" for number in range(OBJECTS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda key: bucket.put(key, key.encode()), keys))
    _kill(platform)
    assert sorted(_listed(bucket, "many/")) == keys
    for key in keys[::97]:
        assert bucket.get(key) == key.encode()


def test_what_is_stored_encrypted_is_read_again_after_a_restart(platform: Platform) -> None:
    bucket = platform.objects("mlflow")
    client: Any = bucket._client  # the platform's own store asks for no encryption
    client.put_object(
        Bucket="mlflow", Key="secret/one", Body=b"kept", ServerSideEncryption="AES256"
    )
    _kill(platform)
    assert bucket.get("secret/one") == b"kept"
    assert client.head_object(Bucket="mlflow", Key="secret/one")["ServerSideEncryption"] == "AES256"


def test_keys_that_a_file_system_could_not_hold_are_kept_apart(platform: Platform) -> None:
    bucket = platform.objects("mlflow")
    bucket.put("apart/a", b"file")
    bucket.put("apart/a/b", b"below")
    assert (bucket.get("apart/a"), bucket.get("apart/a/b")) == (b"file", b"below")


def _listed(bucket: Any, prefix: str) -> Iterator[str]:
    pages = bucket._client.get_paginator("list_objects_v2").paginate(Bucket="mlflow", Prefix=prefix)
    for page in pages:
        yield from (each["Key"] for each in page.get("Contents", []))


def _kill(platform: Platform) -> None:
    """End the server without a word, and wait for the next one."""
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(cluster_client(platform))
    old = core.read_namespaced_pod("seaweedfs-0", "mlops-stores").metadata.uid
    core.delete_namespaced_pod("seaweedfs-0", "mlops-stores", grace_period_seconds=0)
    ends = time.monotonic() + 300
    while time.monotonic() < ends:
        time.sleep(1)
        found = core.list_namespaced_pod(
            "mlops-stores", field_selector="metadata.name=seaweedfs-0"
        ).items
        if found and found[0].metadata.uid != old and _ready(found[0]):
            return
    raise AssertionError("the store has not come back in 300 s")


def _ready(pod: Any) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())
