"""Looks at the emulated account by boto3, after each re-plan of a cycle: `look STACK EXPORT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3

REGION = "ap-northeast-2"


def main(stack: str, export: Path) -> None:
    declared: dict[str, Any] = json.loads(export.read_text(encoding="utf-8"))["resource"]
    base = f"mlops-{stack}"
    (wanted,) = (
        each["name"]
        for name, each in declared["aws_sagemaker_endpoint_configuration"].items()
        if name == "demand"
    )
    live = boto3.client("sagemaker", region_name=REGION).describe_endpoint(
        EndpointName=f"{base}-demand"
    )
    assert live["EndpointConfigName"] == wanted, (live["EndpointConfigName"], wanted)
    assert live["EndpointStatus"] == "InService", live["EndpointStatus"]
    crawler = boto3.client("glue", region_name=REGION).get_crawler(Name=f"{base}-orders")
    described = declared["aws_glue_crawler"]["orders"].get("description", "")
    assert crawler["Crawler"].get("Description", "") == described
    s3 = boto3.client("s3", region_name=REGION)
    names = [each["bucket"] for each in declared["aws_s3_bucket"].values()]
    for name in names:
        blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        assert all(blocked.values()), name
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    print(f"looked: {live['EndpointConfigName']} serves, crawler says '{described}', "  # noqa: T201
          f"{len(names)} buckets closed")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
