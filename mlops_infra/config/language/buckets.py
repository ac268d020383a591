"""Names of buckets by the rules of S3, which MinIO and others share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mlops_infra.config.language.invalid import InvalidValueError

_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
_HEADS = ("xn--", "sthree-", "amzn-s3-demo-")
_TAILS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def bucket_name(name: str) -> str:
    """Return `name` if S3 takes it for a bucket.

    Raises:
        InvalidValueError: it does not; the message names the rule.
    """
    if not _SHAPE.fullmatch(name):
        raise InvalidValueError(
            f"'{name}' is not a name of a bucket",
            "3 to 63 lower case letters, digits, - and ., with a letter or digit at both ends",
        )
    for pair in ("..", ".-", "-."):
        if pair in name:
            message = f"'{name}' is not a name of a bucket: it has '{pair}'"
            raise InvalidValueError(message, "between two dots belongs a DNS label")
    if _ADDRESS.fullmatch(name):
        message = f"'{name}' is not a name of a bucket: it looks like an IP address"
        raise InvalidValueError(message, "begin with a word")
    for head in _HEADS:
        if name.startswith(head):
            raise InvalidValueError(f"'{name}' is not a name of a bucket: S3 reserves '{head}…'")
    for tail in _TAILS:
        if name.endswith(tail):
            raise InvalidValueError(f"'{name}' is not a name of a bucket: S3 reserves '…{tail}'")
    return name


Bucket = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        examples=["team-a-data"],
        json_schema_extra={"format": "bucket"},
    ),
    AfterValidator(bucket_name),
]
"""Name of a bucket: 3 to 63 characters, the rules of S3."""
