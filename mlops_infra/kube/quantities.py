"""Kubernetes' quantities: `500m`, `32Gi`."""

from __future__ import annotations

from decimal import Decimal

_GIB = 1 << 30


def amount(quantity: object) -> Decimal:
    """A quantity as a number.

    Raises:
        ValueError: it is not one.
    """
    from kubernetes.utils import parse_quantity

    return Decimal(parse_quantity(quantity))


def gibibytes(quantities: list[object]) -> str:
    """The sum as people read it: `12.5 GiB`."""
    total = sum(map(amount, quantities), Decimal())
    return f"{float(total / _GIB):.4g} GiB"
