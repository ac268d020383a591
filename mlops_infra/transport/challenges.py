"""Reads `WWW-Authenticate`: any number of schemes, in one header or in several. Pure.

The grammar is that of RFC 9110, 11.2 to 11.6.1. Its difficulty is that a comma separates both
challenges and their parameters, so a word is a scheme or the name of a parameter by what follows::

    Negotiate, Basic realm="a, b", Bearer realm="https://x/token",service="x", scope="a:b:pull"

What does not fit is passed over up to the next comma, and the rest is still read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  a word of the grammar
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))")
_GAP = re.compile(r"[ \t,]*")
_REST = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^,"])+')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that a server offers."""

    scheme: str
    """Lower case: `basic`, `bearer`, `negotiate`."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case; of several of one name the first."""


def challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """All challenges of the values of `WWW-Authenticate`, in their order."""
    return tuple(challenge for header in headers for challenge in _of_one(header))


def _of_one(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    parameters: dict[str, str] = {}
    at = _behind_gap(header, 0)
    while at < len(header):
        if found and (pair := _PARAMETER.match(header, at)):
            value = pair[3] if pair[2] is None else re.sub(r"\\(.)", r"\1", pair[2])
            parameters.setdefault(pair[1].lower(), value)
            at = pair.end()
        elif (scheme := _SCHEME.match(header, at)) and not _PARAMETER.match(header, at):
            parameters = {}
            found.append(Challenge(scheme[1].lower(), parameters))
            # what Negotiate and the like have behind them is nothing that is answered here
            data = _TOKEN68.match(header, scheme.end())
            at = data.end() if data else scheme.end()
        else:
            rest = _REST.match(header, at)
            at = rest.end() if rest else at + 1
        at = _behind_gap(header, at)
    return found


def _behind_gap(header: str, at: int) -> int:
    gap = _GAP.match(header, at)
    return gap.end() if gap else at
