"""Order of Debian version strings: deb-version(7)."""

from __future__ import annotations

import re
from functools import total_ordering

_CHUNK = re.compile(r"(\D*)(\d*)")
_CONSTRAINT = re.compile(r"\(\s*(<<|<=|=|>=|>>)\s*([^\s)]+)\s*\)")


def _order(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def _part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    # the end of a run of non-digits sorts after "~" and before everything else, hence the 0
    chunks = [
        ((*(_order(c) for c in letters), 0), int(digits or 0))
        for letters, digits in _CHUNK.findall(text)
    ]
    end = ((0,), 0)
    while chunks and chunks[-1] == end:
        chunks.pop()  # "1.0" and "1.0-0" are the same version
    return (*chunks, end)


@total_ordering
class DebianVersion:
    """A version that compares as dpkg compares it."""

    def __init__(self, text: str) -> None:
        epoch, _, rest = text.rpartition(":")
        upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
        self._key = (int(epoch or 0), _part(upstream), _part(revision))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DebianVersion) and self._key == other._key

    def __lt__(self, other: DebianVersion) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)


def satisfies(version: str, relation: str) -> bool:
    """Whether `version` fits a relation as it stands in a Depends field: `libc6 (>= 2.38)`."""
    constraint = _CONSTRAINT.search(relation)
    if constraint is None:
        return True
    left, right = DebianVersion(version), DebianVersion(constraint[2])
    return {
        "<<": left < right,
        "<=": left <= right,
        "=": left == right,
        ">=": left >= right,
        ">>": left > right,
    }[constraint[1]]
