"""Dated list prices of AWS as data, and their reader. Nothing is asked online."""

from mlops_infra.plan.aws.prices.table import Price, PriceTable, load_prices

__all__ = ["Price", "PriceTable", "load_prices"]
