"""What a step may ask for: quantities by Kubernetes' rules, and limits that every engine keeps."""

from __future__ import annotations

import re
from fractions import Fraction

LONGEST_SECONDS = 30 * 24 * 3600
MOST_RETRIES = 10
LEAST_MEMORY = 64 << 20
"""Bytes; below it not even Python starts."""
MOST_MEMORY = 64 << 40
MOST_CPUS = 1024
_ALMOST = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgGtT])i?[bB]?", re.ASCII)


def value(quantity: str) -> Fraction:
    """The number that a quantity of Kubernetes means: cores, or bytes.

    Raises:
        ValueError: this is not a quantity.
    """
    # most steps never ask, and the language of the configuration takes time to import
    from mlops_infra.config.language.quantities import parse

    return parse(quantity)


def wrong_memory(quantity: str) -> str | None:
    """What is wrong with the memory that a step asks for; None where nothing is."""
    try:
        amount = value(quantity)
    except ValueError:
        advice = _nearest(quantity) or "write for example 512Mi or 2Gi"
        return f"'{quantity}' is not a quantity: {advice}"
    if amount < LEAST_MEMORY:
        said = _nearest(f"{quantity}i") if quantity.endswith(("m", "M")) else None
        return f"'{quantity}' is less than {LEAST_MEMORY >> 20}Mi{f'; {said}' if said else ''}"
    return f"'{quantity}' is more than {MOST_MEMORY >> 40}Ti" if amount > MOST_MEMORY else None


def wrong_cpu(quantity: str) -> str | None:
    """What is wrong with the cores that a step asks for; None where nothing is."""
    try:
        amount = value(quantity)
    except ValueError:
        return f"'{quantity}' is not a quantity: write cores, for example 2, 0.5 or 500m"
    if amount < Fraction(1, 1000):
        return f"'{quantity}' is less than 1m, a thousandth of a core"
    return f"'{quantity}' is more than {MOST_CPUS} cores" if amount > MOST_CPUS else None


def _nearest(quantity: str) -> str | None:
    """What was probably meant: `2GB` is `2Gi`."""
    match = _ALMOST.fullmatch(quantity.strip())
    return None if match is None else f"write {match[1]}{match[2].upper()}i"
