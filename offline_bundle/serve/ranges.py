"""`Range` of a request (RFC 9110, 14): one range of bytes, or the whole. Pure."""

from __future__ import annotations

import re
from email.message import Message

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range begins behind the end, which is status 416."""


def asked(headers: Message, size: int, tag: str) -> tuple[int, int] | None:
    """Start and length of what is asked for; None: the whole.

    Several ranges, other units and what cannot be read mean the whole, as the RFC allows; so does
    an `If-Range` of other content than `tag`.

    Raises:
        Unsatisfiable: no byte of it exists.
    """
    found = _ONE.fullmatch(headers.get("Range", "").strip())
    if found is None or headers.get("If-Range", tag) != tag:
        return None
    first, last = found[1], found[2]
    if not first:
        if not last:
            return None
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        start = max(0, size - int(last))
        return start, size - start
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return int(first), min(size, int(last) + 1 if last else size) - int(first)
