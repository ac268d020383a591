"""SPDX licence expressions: enough of them to ask which choices a user has.

`A OR (B AND C)` becomes the alternatives `{A}` and `{B, C}`: taking a component means taking all
licences of one alternative.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")

Alternatives = frozenset[frozenset[str]]


def alternatives(expression: str) -> Alternatives:
    """The sets of licences that `expression` lets its user choose from.

    Raises:
        ValueError: this is not an SPDX expression.
    """
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s", "", expression) or not tokens:
        raise ValueError(f"'{expression}' is not an SPDX expression")
    found, rest = _or(tokens)
    if rest:
        raise ValueError(f"'{expression}' is not an SPDX expression: '{rest[0]}' is out of place")
    return found


def parse(expression: str) -> frozenset[str]:
    """Every licence that `expression` names."""
    return frozenset().union(*alternatives(expression))


def _or(tokens: list[str]) -> tuple[Alternatives, list[str]]:
    found, rest = _and(tokens)
    while rest and rest[0] == "OR":
        more, rest = _and(rest[1:])
        found |= more
    return found, rest


def _and(tokens: list[str]) -> tuple[Alternatives, list[str]]:
    found, rest = _term(tokens)
    while rest and rest[0] == "AND":
        more, rest = _term(rest[1:])
        found = frozenset(left | right for left in found for right in more)
    return found, rest


def _term(tokens: list[str]) -> tuple[Alternatives, list[str]]:
    if not tokens or tokens[0] in (")", "OR", "AND", "WITH"):
        raise ValueError("an SPDX expression lacks a licence")
    if tokens[0] == "(":
        found, rest = _or(tokens[1:])
        if not rest or rest[0] != ")":
            raise ValueError("an SPDX expression lacks a closing bracket")
        return found, rest[1:]
    name, rest = tokens[0], tokens[1:]
    if len(rest) > 1 and rest[0] == "WITH":
        # an exception only ever grants more; it is judged as one licence with its own name
        return frozenset({frozenset({f"{name} WITH {rest[1]}"})}), rest[2:]
    return frozenset({frozenset({name})}), rest
