"""Policies of the lake's buckets: TLS only, and who may deliver logs."""

from __future__ import annotations

from typing import Any

from mlops_infra.plan.aws.names import AwsNames

RECORDED = ("raw", "curated", "features", "artifacts", "results")
"""Buckets whose access is recorded in the logs bucket."""


def bucket_policy(role: str, names: AwsNames) -> dict[str, Any]:
    """The whole policy of the bucket `role`."""
    arn = names.bucket_arn(role)
    statements = [tls_only(arn)]
    if role == "logs":
        statements += [_deliver(arn, each, names) for each in RECORDED]
    return {"Version": "2012-10-17", "Statement": statements}


def tls_only(arn: str) -> dict[str, Any]:
    """Refuse what comes in the clear or by a TLS older than 1.2."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _deliver(arn: str, role: str, names: AwsNames) -> dict[str, Any]:
    """S3 may write the access logs of one bucket into its own folder; ACLs are off everywhere."""
    return {
        "Sid": f"AccessLogsOf{role.capitalize()}",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{arn}/s3/{role}/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": names.account},
            "ArnLike": {"aws:SourceArn": names.bucket_arn(role)},
        },
    }
