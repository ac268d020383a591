"""What an API call is named in a policy. Pure.

Source: the Service Authorization Reference. Most actions have the operation's own name; the
exceptions are S3, which was there before IAM, and services whose prefix is not their client's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PREFIXES: Mapping[str, str] = {
    "resourcegroupstaggingapi": "tag",
    "efs": "elasticfilesystem",
    "stepfunctions": "states",
    "application-autoscaling": "application-autoscaling",
    "sagemaker-runtime": "sagemaker",
    "sagemaker-featurestore-runtime": "sagemaker",
    "mwaa": "airflow",
}
"""boto3's name of a service to the prefix of its actions, where the two differ."""

_S3: Mapping[str, tuple[str, ...]] = {
    "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "DeleteObject": ("s3:DeleteObject",),
    "DeleteObjects": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "GetBucketVersioning": ("s3:GetBucketVersioning",),
    "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "GetObject": ("s3:GetObject",),
    "HeadBucket": ("s3:ListBucket",),
    "HeadObject": ("s3:GetObject",),
    "ListBuckets": ("s3:ListAllMyBuckets",),
    "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "ListObjectVersions": ("s3:ListBucketVersions",),
    "ListObjectsV2": ("s3:ListBucket",),
    "PutObject": ("s3:PutObject",),
    "GetBucketLocation": ("s3:GetBucketLocation",),
    "GetBucketTagging": ("s3:GetBucketTagging",),
}


def actions(service: str, operation: str) -> tuple[str, ...]:
    """IAM actions that `operation` (as the API spells it, `StopCrawler`) asks for."""
    if service == "s3" and operation in _S3:
        return _S3[operation]
    return (f"{PREFIXES.get(service, service)}:{operation}",)


def statement(wanted: Sequence[str], resource: str | None = None) -> dict[str, Any]:
    """A policy statement that allows `wanted`, ready to be pasted into a policy."""
    return {"Effect": "Allow", "Action": list(wanted), "Resource": [resource or "*"]}
