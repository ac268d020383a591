"""A monthly estimate of what the declared resources cost; what is unknown stays unknown. Pure."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlops_infra.plan.aws.cost_parts import Part, parts
from mlops_infra.plan.aws.prices import PriceTable, load_prices

REFERENCE = "us-east-1"
"""The region whose prices stand beside an unknown one, marked as what they are."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on the bill."""

    type: str
    name: str
    item: str
    note: str
    quantity: float
    unit: str | None
    by_use: bool
    price: float | None
    """US dollars for one unit in the stack's region; None where unknown."""
    monthly: float | None
    """US dollars; None where unknown or by use."""
    reference_price: float | None
    reference_monthly: float | None
    """The same at the prices of `REFERENCE`."""
    checked: bool
    """Whether the price was compared with a published list."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the stack costs, as far as it can be told."""

    region: str
    written: datetime.date
    lines: tuple[Line, ...]
    free: int
    """Resources without a price of their own."""
    unknown: Mapping[str, int]
    """Types of resources that this table knows nothing about, and how many there are."""

    @property
    def monthly(self) -> float:
        """US dollars of all that is paid by time and has a known price in the region."""
        return sum(each.monthly or 0 for each in self.lines)

    @property
    def reference_monthly(self) -> float:
        """The same at the prices of `REFERENCE`."""
        return sum(each.reference_monthly or 0 for each in self.lines)

    @property
    def unpriced(self) -> tuple[Line, ...]:
        """Lines whose price in the region is unknown."""
        return tuple(each for each in self.lines if each.price is None)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "region": self.region,
            "pricesWritten": self.written.isoformat(),
            "currency": "USD",
            "monthlyKnown": round(self.monthly, 2),
            "referenceRegion": REFERENCE,
            "monthlyAtReference": round(self.reference_monthly, 2),
            "unpriced": len(self.unpriced),
            "unknownTypes": dict(self.unknown),
            "free": self.free,
            "lines": [asdict(each) for each in self.lines],
        }


def estimate(
    resources: Iterable[tuple[str, str, Mapping[str, Any]]],
    region: str,
    table: PriceTable | None = None,
) -> Estimate:
    """The estimate for `resources`, each as type token, name and inputs."""
    known = table or load_prices()
    lines: list[Line] = []
    unknown: Counter[str] = Counter()
    free = 0
    for type_token, name, inputs in resources:
        found = parts(type_token, inputs)
        if found is None:
            unknown[type_token] += 1
        elif not found:
            free += 1
        else:
            lines += [_line(type_token, name, part, region, known) for part in found]
    ordered = sorted(lines, key=lambda each: (-(each.reference_monthly or 0), each.type, each.name))
    return Estimate(region, known.written, tuple(ordered), free, dict(sorted(unknown.items())))


def _line(type_token: str, name: str, part: Part, region: str, table: PriceTable) -> Line:
    here = table.price(region, part.item, part.size)
    reference = table.price(REFERENCE, part.item, part.size)
    either = here or reference
    times = {"hour": table.hours_per_month, "month": 1}

    def monthly(amount: float | None) -> float | None:
        if amount is None or either is None or part.by_use or either.unit not in times:
            return None
        return amount * part.quantity * times[either.unit]

    return Line(
        type=type_token,
        name=name,
        item=f"{part.item} {part.size}" if part.size else part.item,
        note=part.note,
        quantity=part.quantity,
        unit=either.unit if either else None,
        by_use=part.by_use,
        price=here.amount if here else None,
        monthly=monthly(here.amount if here else None),
        reference_price=reference.amount if reference else None,
        reference_monthly=monthly(reference.amount if reference else None),
        checked=bool(here and here.checked),
    )
