"""Places of the lake as configuration writes them, and as S3 does."""

from __future__ import annotations

from typing import cast

from mlops_infra.components.aws.foundation.foundation import BucketRole, Foundation
from mlops_infra.config.aws.models import Monitor


def lake_uri(foundation: Foundation, path: str) -> str:
    """`s3://bucket/folder` of `raw/folder`."""
    role, _, folder = path.strip("/").partition("/")
    # the configuration's pattern allows raw and curated only
    return foundation.uri(cast("BucketRole", role), *([folder] if folder else []))


def bucket_and_prefix(foundation: Foundation, path: str) -> tuple[str, str]:
    """Name of the bucket and what keys begin with, `folder/`; all keys where there is no folder."""
    role, _, folder = path.strip("/").partition("/")
    return foundation.bucket(cast("BucketRole", role)), f"{folder}/" if folder else ""


def baseline_uri(foundation: Foundation, config: Monitor) -> str:
    """Folder of statistics.json and constraints.json."""
    if config.baseline is not None:
        return lake_uri(foundation, config.baseline).rstrip("/")
    return foundation.uri("artifacts", "baselines", config.pipeline or config.endpoint)
