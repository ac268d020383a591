"""Predictions as PostgreSQL can hold them: what it cannot is marked in its place, never dropped.

PostgreSQL's text has no NUL and no half of a surrogate pair, which JSON can write.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from mlops_infra.lifecycle.gateway.core.prediction import Row
from mlops_infra.lifecycle.gateway.core.texts import printable

REPLACED = "mlops-infra.replaced"
"""Member of a stored request or response: the places whose characters were replaced."""
_MARK = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(row: Row) -> Row:
    """The row with each character that PostgreSQL has no place for replaced by U+FFFD."""
    return replace(
        row,
        server=_UNSTORABLE.sub(_MARK, row.server),
        error=_text(row.error),
        request_key=_text(row.request_key),
        request_id=_text(row.request_id),
        request=_document(row.request),
        response=_document(row.response),
    )


def without_content(row: Row, why: str) -> Row:
    """The row without request and response, and why they are missing."""
    told = f"request and response cannot be stored: {printable(why)}"
    error = f"{row.error}; {told}" if row.error else told
    return replace(storable(row), request=None, response=None, error=_UNSTORABLE.sub(_MARK, error))


def _text(value: str | None) -> str | None:
    return None if value is None else _UNSTORABLE.sub(_MARK, value)


def _document(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    places: list[str] = []
    clean = _clean(document, "", places)
    if places and isinstance(clean, dict):
        clean[REPLACED] = places
    return json.dumps(clean)


def _clean(value: Any, place: str, places: list[str]) -> Any:
    if isinstance(value, str):
        clean = _UNSTORABLE.sub(_MARK, value)
        if clean != value:
            places.append(place)
        return clean
    if isinstance(value, list):
        return [_clean(each, f"{place}[{at}]", places) for at, each in enumerate(value)]
    if isinstance(value, dict):
        made = {}
        for name, each in value.items():
            here = f"{place}.{printable(name)}".lstrip(".")
            made[_clean(name, here, places)] = _clean(each, here, places)
        return made
    return value
