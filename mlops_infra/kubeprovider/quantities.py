"""Resource quantities compared by meaning: `1` is `1000m`, `1Gi` is `1024Mi`."""

from __future__ import annotations

import re
from decimal import Decimal

_BINARY = {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10) ** 3,
    **{unit: Decimal(10) ** (3 * power) for power, unit in enumerate("MGTPE", 2)},
}
_UNITS = {**_BINARY, **_DECIMAL}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([KMGTPE]i|[numkMGTPE])?)")

_PARENTS = frozenset(
    {"requests", "limits", "hard", "capacity", "default", "defaultRequest", "max", "min"}
)
_NAMES = frozenset({"sizeLimit", "minAvailableQuantity", "averageValue"})


def parse(value: object) -> Decimal | None:
    """The number that a quantity stands for, or None if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    match = _FORM.fullmatch(str(value))
    if match is None:
        return None
    number, exponent, unit = match.groups()
    return Decimal(number + (exponent or "")) * _UNITS[unit or ""]


def is_quantity(path: tuple[str | int, ...]) -> bool:
    """Whether the Kubernetes API holds a quantity at this place of an object."""
    keys = [part for part in path if isinstance(part, str)]
    return bool(keys) and (keys[-1] in _NAMES or (len(keys) > 1 and keys[-2] in _PARENTS))
