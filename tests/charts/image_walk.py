"""Finds every image reference in manifests, wherever it hides: arguments, variables, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_REFERENCE = re.compile(
    r"(?<![\w./@:-])"  # not in the middle of a word or of a URL
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9-]+\.?[a-z0-9-]*(?::\d{1,5})?"  # registry
    r"(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+"  # repository
    r"(?::[A-Za-z0-9_][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})"  # tag or digest
    r"(?![\w:/])"
)


def references(value: Any) -> set[str]:
    """All image references in a structure: what `image:` keys say and what looks like one."""
    return set(_walk(value, None))


def _walk(value: Any, key: str | None) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, None)
    elif isinstance(value, str):
        if key == "image":
            yield value
        yield from _REFERENCE.findall(value)
