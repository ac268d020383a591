"""Values of the aws profile that a pattern cannot judge: places of the lake, types of Glue."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mlops_infra.config.language.buckets import bucket_name
from mlops_infra.config.language.invalid import InvalidValueError

_LONGEST_KEY = 512
"""Bytes of a folder; S3 takes 1024 for a whole key."""
_SIMPLE = frozenset(
    [
        "string",
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "date",
        "timestamp",
        "binary",
    ]
)
_DECIMAL = re.compile(r"decimal\(([0-9]{1,2})(?:,([0-9]{1,2}))?\)")
_MOST_DIGITS = 38
_FIELD = re.compile(r"[a-z0-9_]{1,255}")


def lake_path(path: str) -> str:
    """Return `path` if each of its parts names something.

    Raises:
        InvalidValueError: S3 would take an empty part, `.` or `..` as a name.
    """
    parts = path.split("/")
    bucket_alone = len(parts) == 2 and not parts[1]
    wrong = next((part for part in parts[1:] if part in ("", ".", "..")), None)
    if wrong is not None and not bucket_alone:
        named = f"'{wrong}'" if wrong else "an empty part"
        plain = "/".join(part for part in parts if part not in ("", ".", ".."))
        message = f"'{path}' has {named}, which S3 takes as a name"
        raise InvalidValueError(message, None if wrong == ".." else f"write {plain}")
    return path


def data_type(text: str) -> str:
    """Return `text` if Hive and Athena know it as a type.

    Raises:
        InvalidValueError: they do not; the message names the part.
    """
    rest = _type(text, text)
    if rest:
        raise InvalidValueError(f"'{text}' goes on after its end: '{rest}'", _EXAMPLE)
    return text


def is_simple(text: str) -> bool:
    """Whether a type has no parts; folders of partitions can be named by nothing else."""
    return "<" not in text and text != "binary"


_EXAMPLE = "for example bigint, decimal(10,2), array<string> or struct<id:bigint,name:string>"


def _type(text: str, whole: str) -> str:
    """Read one type off the head of `text`; the rest."""
    match = re.match(r"[a-z]+(\([0-9,]*\))?", text)
    head = match[0] if match else ""
    rest = text[len(head) :]
    if head in _SIMPLE:
        return rest
    if head in ("array", "map", "struct") and rest.startswith("<"):
        return _parts(head, rest[1:], whole)
    decimal = _DECIMAL.fullmatch(head)
    if decimal is None:
        raise InvalidValueError(f"'{text or whole}' is not a type of Hive and Athena", _EXAMPLE)
    precision, scale = int(decimal[1]), int(decimal[2] or 0)
    if not 1 <= precision <= _MOST_DIGITS or scale > precision:
        message = f"'{head}' has more digits than there are"
        raise InvalidValueError(message, "decimal(1 to 38, 0 to the first number)")
    return rest


def _parts(kind: str, text: str, whole: str) -> str:
    """Read what stands between `<` and `>`; the rest after it."""
    count = 0
    while True:
        if kind == "struct":
            name, colon, text = text.partition(":")
            if not colon or not _FIELD.fullmatch(name):
                raise InvalidValueError(f"'{whole}' has a field without a name", _EXAMPLE)
        text = _type(text, whole)
        count += 1
        if text.startswith(","):
            text = text[1:]
        elif text.startswith(">"):
            break
        else:
            raise InvalidValueError(f"'{whole}' has no '>' at its end", _EXAMPLE)
    if count != {"array": 1, "map": 2}.get(kind, count):
        raise InvalidValueError(f"'{whole}': {kind} has {count} parts", _EXAMPLE)
    return text[1:]


def model_source(text: str) -> str:
    """Return `text` if its bucket, where it names one, can be one."""
    if text.startswith("s3://"):
        bucket_name(text.removeprefix("s3://").partition("/")[0])
    return text


Folder = Annotated[
    str,
    Field(
        pattern=r"^(raw|curated)(/[A-Za-z0-9_.=-]*)+$",
        max_length=_LONGEST_KEY,
        examples=["raw/orders"],
    ),
    AfterValidator(lake_path),
]
"""Bucket and folder of the lake, for example `raw/orders`."""

BucketPath = Annotated[
    str,
    Field(pattern=r"^(raw|curated)/\S*$", max_length=_LONGEST_KEY, examples=["curated/orders"]),
    AfterValidator(lake_path),
]
"""A folder of the lake, for example `curated/orders`, or all of a bucket: `raw/`."""

DataType = Annotated[
    str,
    Field(
        pattern=r"^(string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|binary"
        r"|decimal\([0-9]{1,2}(,[0-9]{1,2})?\)|(array|map|struct)<\S+>)$",
        max_length=131_072,
        examples=["decimal(10,2)"],
    ),
    AfterValidator(data_type),
]
"""A type of Hive and Athena, for example `bigint` or `decimal(10,2)`."""
