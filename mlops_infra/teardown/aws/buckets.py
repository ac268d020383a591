"""Empties buckets: every object, every version, every delete marker, every unfinished upload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any

from mlops_infra.aws import Cloud
from mlops_infra.aws.faults import NotThere, ServiceRefused
from mlops_infra.progress import Sink, Step, step
from mlops_infra.teardown.aws.scope import BUCKETS, Made, Scope

BATCH = 1_000
"""Keys that one DeleteObjects takes."""
AT_ONCE = 8
"""Requests in flight. S3 takes 3 500 a second for a prefix; a request of a thousand keys counts
as many."""
ROUNDS = 5
"""A bucket that somebody still writes to is listed again, this often."""
_SHOWN = 3


def to_empty(scope: Scope, *, purge: bool) -> tuple[Made, ...]:
    """Buckets whose contents may go: all with `purge`, else those whose configuration says so."""
    return tuple(
        each for each in scope.of_type(*BUCKETS) if purge or (each.force and not each.kept)
    )


def empty(cloud: Cloud, buckets: Sequence[Made], sink: Sink) -> list[str]:
    """Empty `buckets`; a second call after a killed one goes on where that stopped.

    Returns:
        What could not be deleted, as text: objects under a lock that has not ended.
    """
    held: list[str] = []
    if not buckets:
        return held
    with step(sink, "Emptying buckets", unit="objects") as work:
        for bucket in buckets:
            work.note(bucket.id)
            try:
                held += _empty(cloud, bucket.id, work)
            except NotThere:
                continue  # a killed run had come this far
        work.end("done" if work.done else "unchanged", f"{work.done} versions removed")
    return held


def contents(cloud: Cloud, bucket: str) -> bool:
    """Whether there is anything in the bucket; False where there is no bucket."""
    told = cloud.find("s3", "list_object_versions", Bucket=bucket, MaxKeys=1)
    return bool(told and (told.get("Versions") or told.get("DeleteMarkers")))


def _empty(cloud: Cloud, bucket: str, work: Step) -> list[str]:
    bypass = _locked(cloud, bucket)
    uploads = cloud.pages("s3", "list_multipart_uploads", "Uploads", Bucket=bucket)
    for upload in list(uploads):
        where = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
        cloud.find("s3", "abort_multipart_upload", **where)
        work.advance()
    refused: dict[str, str] = {}
    for _ in range(ROUNDS):
        removed, refused = _round(cloud, bucket, work, bypass=bypass)
        if not removed or refused:
            break
    return [f"bucket {bucket}: {_told(refused)}"] if refused else []


def _round(cloud: Cloud, bucket: str, work: Step, *, bypass: bool) -> tuple[int, dict[str, str]]:
    """One pass over all versions: how many went, and which keys S3 refused and why."""
    refused: dict[str, str] = {}
    removed = 0
    batches = _batches(cloud, bucket)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        flying: set[Future[dict[str, Any]]] = set()
        more = True
        while more or flying:
            while more and len(flying) < AT_ONCE:
                batch = next(batches, None)
                if batch is None:
                    more = False
                    break
                flying.add(pool.submit(_delete, cloud, bucket, batch, bypass=bypass))
            if not flying:
                break
            ended, flying = wait(flying, return_when=FIRST_COMPLETED)
            for each in ended:
                answer = each.result()
                removed += answer["asked"] - len(answer["errors"])
                refused |= {e["Key"]: e.get("Message") or e["Code"] for e in answer["errors"]}
                work.advance(answer["asked"] - len(answer["errors"]))
    return removed, refused


def _batches(cloud: Cloud, bucket: str) -> Iterator[list[dict[str, str]]]:
    versions = _versions(cloud, bucket)
    while batch := list(islice(versions, BATCH)):
        yield batch


def _versions(cloud: Cloud, bucket: str) -> Iterator[dict[str, str]]:
    """Key and version of all there is. Pages are asked for by marker: they shrink meanwhile."""
    markers: dict[str, str] = {}
    while True:
        told = cloud.call("s3", "list_object_versions", Bucket=bucket, MaxKeys=BATCH, **markers)
        for each in (*told.get("Versions", ()), *told.get("DeleteMarkers", ())):
            yield {"Key": each["Key"], "VersionId": each["VersionId"]}
        if not told.get("IsTruncated"):
            return
        markers = {
            "KeyMarker": told["NextKeyMarker"],
            "VersionIdMarker": told.get("NextVersionIdMarker", ""),
        }
        markers = {key: value for key, value in markers.items() if value}


def _delete(
    cloud: Cloud, bucket: str, batch: list[dict[str, str]], *, bypass: bool
) -> dict[str, Any]:
    # the header for governance is refused by buckets without object lock (provider issue 34066)
    more = {"BypassGovernanceRetention": True} if bypass else {}
    told = cloud.call(
        "s3", "delete_objects", Bucket=bucket, Delete={"Objects": batch, "Quiet": True}, **more
    )
    return {"asked": len(batch), "errors": told.get("Errors", [])}


def _locked(cloud: Cloud, bucket: str) -> bool:
    try:
        told = cloud.call("s3", "get_object_lock_configuration", Bucket=bucket)
    except ServiceRefused as error:
        if error.code in ("ObjectLockConfigurationNotFoundError", "NoSuchBucket"):
            return False
        raise
    found = told.get("ObjectLockConfiguration", {})
    return bool(found.get("ObjectLockEnabled") == "Enabled")


def _told(refused: dict[str, str]) -> str:
    shown = "; ".join(f"{key}: {why}" for key, why in list(refused.items())[:_SHOWN])
    more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    return f"{len(refused)} objects stay: {shown}{more}"
