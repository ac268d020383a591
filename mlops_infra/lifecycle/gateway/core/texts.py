"""Texts of clients and servers, before they reach a header, a log line, a database or an answer."""

from __future__ import annotations

LONGEST_NAME = 200
"""Characters of an id, of a tensor's name or of a parameter's."""
LONGEST_VALUE = 4096
"""Characters of a parameter's value."""
_BREAKS = str.maketrans("\n\r\t", "   ")


def name_fault(text: object) -> str | None:
    """Why a text cannot be a name or an id; None where it can.

    Control characters, marks of direction, unassigned characters and halves of surrogate pairs
    would change what other people read, or are refused by headers and databases.
    """
    if not isinstance(text, str):
        return f"{shown(text)} is not a text"
    if len(text) > LONGEST_NAME:
        return f"it has {len(text)} characters, at most {LONGEST_NAME} are allowed"
    if not text.isprintable():
        return f"{shown(text)} has characters that cannot be printed"
    return None


def value_fault(text: str) -> str | None:
    """Why a text cannot be a parameter's value: as for a name, but it may be longer, with lines."""
    if len(text) > LONGEST_VALUE:
        return f"it has {len(text)} characters, at most {LONGEST_VALUE} are allowed"
    if not text.translate(_BREAKS).isprintable():
        return f"{shown(text)} has characters that cannot be printed"
    return None


def shown(value: object, most: int = 60) -> str:
    """A value for a message: short, on one line, without characters that cannot be printed."""
    text = repr(value[: most + 1]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str, most: int = 500) -> str:
    """Another program's text on one line; what cannot be printed is escaped."""
    cut = text[:most]
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut)
