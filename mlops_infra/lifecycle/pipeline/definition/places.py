"""Where runs in a cluster keep things in their tenant's bucket, the same for every engine there.

An empty name stands for the bucket of the tenant, which its Pods know.
"""

from __future__ import annotations

from mlops_infra.lifecycle.pipeline.definition.model import Source

FOLDER = "pipelines"
"""Prefix of everything that runs write into a bucket."""


def object_of(bucket: str, run: str, source: Source) -> str:
    """The object that holds an output of `run`."""
    return f"s3://{bucket}/{FOLDER}/{run}/{source.step}/{source.output}"


def code_object(sha256: str) -> str:
    """The object that holds a person's code."""
    return f"s3:///{FOLDER}/code/{sha256}.py"


def cache(bucket: str) -> str:
    """Prefix of the outputs of equal steps."""
    return f"s3://{bucket}/{FOLDER}/cache"
