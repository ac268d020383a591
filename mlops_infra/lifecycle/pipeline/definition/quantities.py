"""What a step may ask for: quantities by Kubernetes' rules, and limits that every engine keeps."""

from __future__ import annotations

import re
from decimal import Decimal

LONGEST_SECONDS = 30 * 24 * 3600
MOST_RETRIES = 10
LEAST_MEMORY = 64 << 20
"""Bytes; below it not even Python starts."""
MOST_MEMORY = 64 << 40
MOST_CPUS = 1024
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_QUANTITY = re.compile(
    r"(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII
)
_ALMOST = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgGtT])i?[bB]?", re.ASCII)


def value(quantity: str) -> Decimal:
    """The number that a quantity of Kubernetes means: cores, or bytes.

    Raises:
        ValueError: this is not a quantity.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(f"'{quantity}' is not a quantity")
    number, binary, decimal, exponent = match.groups()
    if binary:
        return Decimal(number) * Decimal(1024) ** ("KMGTPE".index(binary[0]) + 1)
    return Decimal(number).scaleb(_POWERS[decimal] if decimal else int(exponent or 0))


def wrong_memory(quantity: str) -> str | None:
    """What is wrong with the memory that a step asks for; None where nothing is."""
    try:
        amount = value(quantity)
    except ValueError as error:
        return f"{error}: {_nearest(quantity) or 'write for example 512Mi or 2Gi'}"
    if amount < LEAST_MEMORY:
        said = _nearest(f"{quantity}i") if quantity.endswith(("m", "M")) else None
        return f"'{quantity}' is less than {LEAST_MEMORY >> 20}Mi{f'; {said}' if said else ''}"
    return f"'{quantity}' is more than {MOST_MEMORY >> 40}Ti" if amount > MOST_MEMORY else None


def wrong_cpu(quantity: str) -> str | None:
    """What is wrong with the cores that a step asks for; None where nothing is."""
    try:
        amount = value(quantity)
    except ValueError as error:
        return f"{error}: write cores, for example 2, 0.5 or 500m"
    if amount < Decimal("0.001"):
        return f"'{quantity}' is less than 1m, a thousandth of a core"
    return f"'{quantity}' is more than {MOST_CPUS} cores" if amount > MOST_CPUS else None


def doubled(quantity: str) -> str:
    """Twice as much, in the same unit: what to try after a step ran out of it."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        return quantity
    number = f"{(Decimal(match[1]) * 2).normalize():f}"
    return f"{number}{quantity[match.end(1) :]}"


def _nearest(quantity: str) -> str | None:
    """What was probably meant: `2GB` is `2Gi`."""
    match = _ALMOST.fullmatch(quantity.strip())
    return None if match is None else f"write {match[1]}{match[2].upper()}i"
