"""JSON as everybody reads it: UTF-8, numbers that are numbers, each name once, whole characters.

Python's own reader takes NaN, UTF-16 and halves of surrogate pairs, and its writer gives them on.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn


def read(body: bytes) -> Any:
    """The document.

    Raises:
        ValueError: it is not JSON, with the reason.
    """
    text = body.decode()
    try:
        document = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if "\\ud" in text or "\\uD" in text:
        _whole(document)
    return document


def write(document: object) -> bytes:
    """The shortest text of a document.

    Raises:
        ValueError: it holds NaN, Infinity, half a surrogate pair or what has no JSON form.
    """
    try:
        return _ENCODER.encode(document).encode()
    except (TypeError, RecursionError) as error:
        raise ValueError(f"no JSON form: {error}") from error


def _whole(document: object) -> None:
    try:
        _ENCODER.encode(document).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is not a character") from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_members)
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
)
