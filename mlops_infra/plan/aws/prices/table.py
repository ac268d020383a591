"""Reads the price table."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of something costs."""

    amount: float
    """US dollars for one `unit`."""
    unit: str
    """`hour`, `month`, `GB` and so on."""
    checked: bool
    """Whether somebody compared it with a published list."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices, with the day they were written down."""

    written: datetime.date
    currency: str
    hours_per_month: int
    regions: Mapping[str, Mapping[str, Any]]

    def price(self, region: str, item: str, size: str | None = None) -> Price | None:
        """The price of `item` in `region`; None where it is unknown.

        Args:
            region: for example `us-east-1`.
            item: a key of the table, for example `sagemaker-instance`.
            size: where the item has sizes, for example `ml.m5.large`.
        """
        found = self.regions.get(region, {}).get(item)
        if found is None:
            return None
        amount = found.get("sizes", {}).get(size) if "sizes" in found else found.get("price")
        if amount is None:
            return None
        return Price(float(amount), str(found["unit"]), bool(found["checked"]))


@functools.cache
def load_prices() -> PriceTable:
    """The table of this release."""
    text = resources.files(__package__).joinpath("aws.yaml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    return PriceTable(
        written=found["written"],
        currency=found["currency"],
        hours_per_month=found["hours_per_month"],
        regions=found["regions"],
    )
