"""The doors of the object store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from botocore.exceptions import ClientError

from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.object_store import s3_client

PROBE = "doors/probe"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::{bucket}/*",
        }
    ],
}


def _policy(bucket: str) -> str:
    return json.dumps(PUBLIC).replace("{bucket}", bucket)


def _parts(client: Any, bucket: str) -> None:
    key = f"{PROBE}-parts"
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = {"Bucket": bucket, "Key": key, "UploadId": upload}
    etag = client.upload_part(**part, PartNumber=1, Body=b"x")["ETag"]
    client.list_parts(**part)
    done = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    client.complete_multipart_upload(**part, MultipartUpload=done)
    client.delete_object(Bucket=bucket, Key=key)


def _abort(client: Any, bucket: str) -> None:
    key = f"{PROBE}-aborted"
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)


def _delete_several(client: Any, bucket: str) -> None:
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"{PROBE}-none"}]})
    for error in answer.get("Errors", ()):
        raise ClientError({"Error": error}, "DeleteObjects")


def _make(client: Any, bucket: str) -> None:
    client.create_bucket(Bucket=f"{bucket}-doors")


Operation = Callable[[Any, str], object]
LIST: Mapping[str, Operation] = {
    "list": lambda s3, bucket: s3.list_objects_v2(Bucket=bucket),
    "head bucket": lambda s3, bucket: s3.head_bucket(Bucket=bucket),
    "list uploads": lambda s3, bucket: s3.list_multipart_uploads(Bucket=bucket),
}
READ: Mapping[str, Operation] = {
    "get": lambda s3, bucket: s3.get_object(Bucket=bucket, Key=PROBE),
    "head": lambda s3, bucket: s3.head_object(Bucket=bucket, Key=PROBE),
}
WRITE: Mapping[str, Operation] = {
    "put": lambda s3, bucket: s3.put_object(Bucket=bucket, Key=f"{PROBE}-put", Body=b"x"),
    "copy": lambda s3, bucket: s3.copy_object(
        Bucket=bucket, Key=f"{PROBE}-copy", CopySource=f"{bucket}/{PROBE}"
    ),
    "upload in parts": _parts,
    "abort an upload": _abort,
    "delete": lambda s3, bucket: s3.delete_object(Bucket=bucket, Key=f"{PROBE}-put"),
    "delete several": _delete_several,
}
MANAGE: Mapping[str, Operation] = {
    "put policy": lambda s3, bucket: s3.put_bucket_policy(Bucket=bucket, Policy=_policy(bucket)),
    "delete policy": lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
    "put ACL": lambda s3, bucket: s3.put_bucket_acl(Bucket=bucket, ACL="public-read"),
    "put ACL of an object": lambda s3, bucket: s3.put_object_acl(
        Bucket=bucket, Key=PROBE, ACL="public-read"
    ),
    "put ownership": lambda s3, bucket: s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    ),
    "delete ownership": lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
    "put CORS": lambda s3, bucket: s3.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    ),
    "put versioning": lambda s3, bucket: s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    ),
    "put tags": lambda s3, bucket: s3.put_bucket_tagging(
        Bucket=bucket, Tagging={"TagSet": [{"Key": "mlops-infra.dev/on-removal", "Value": "x"}]}
    ),
    "delete tags": lambda s3, bucket: s3.delete_bucket_tagging(Bucket=bucket),
    "put lock": lambda s3, bucket: s3.put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    ),
    "delete bucket": lambda s3, bucket: s3.delete_bucket(Bucket=bucket),
}
ALL = {**LIST, **READ, **WRITE, **MANAGE}
OBJECTS = frozenset({*LIST, *READ, *WRITE})
"""What opens for whoever works with the objects of a bucket."""
NAMES = frozenset(LIST)
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Door:
    """One account before one bucket."""

    account: str
    bucket: str
    opens: frozenset[str]
    """Operations that must work; all others must be refused."""
    makes: bool = False
    """Whether the account may make buckets."""


def walk(endpoint: str, logins: Mapping[str, Login], doors: list[Door]) -> list[str]:
    """What is open and should not be, or closed and should not be.

    Args:
        endpoint: of the store; each bucket holds an object `PROBE`.
        logins: keys of each account.
        doors: what to try.
    """
    found = []
    for door in doors:
        client = s3_client(endpoint, logins[door.account])
        for name, operation in ALL.items():
            opened = _opens(operation, client, door.bucket)
            if opened != (name in door.opens):
                found.append(f"{door.account}, {door.bucket}: {name} is {_word(opened)}")
        if not door.makes and _opens(_make, client, door.bucket):
            found.append(f"{door.account} makes buckets")
    buckets = sorted({door.bucket for door in doors})
    return found + [f"anybody reads {each}" for each in buckets if anybody_reads(endpoint, each)]


def anybody_reads(endpoint: str, bucket: str) -> bool:
    """Whether an object, or the list of them, is given without any key."""
    for path in (f"{bucket}/{PROBE}", f"{bucket}?list-type=2"):
        try:
            urlopen(f"{endpoint}/{path}", timeout=10).close()  # noqa: S310 - http
        except HTTPError as error:
            error.close()
        else:
            return True
    return False


def _opens(operation: Operation, client: Any, bucket: str) -> bool:
    try:
        operation(client, bucket)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # a HEAD has no body that could say more
        if code not in ("AccessDenied", "403"):
            error.add_note(f"as {client._request_signer._credentials.access_key}, {bucket}")
            raise
        return False
    return True


def _word(opened: bool) -> str:
    return "open" if opened else "closed"
