"""Quantities of Kubernetes as the configuration writes them."""

from __future__ import annotations

import re

_QUANTITY = re.compile(r"([0-9]+)(m|Mi|Gi|Ti)?")


def doubled(quantity: str) -> str:
    """Twice as much: `500m` gives `1000m`.

    Raises:
        ValueError: this is not a whole number with m, Mi, Gi, Ti or nothing behind it.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError(f"'{quantity}' is not a valid quantity for a quota")
    return f"{int(match[1]) * 2}{match[2] or ''}"
