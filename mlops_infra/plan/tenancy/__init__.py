"""Tenants: a namespace each, with its own accounts at every store and declared paths only."""

from mlops_infra.plan.tenancy.accounts import copies, identity
from mlops_infra.plan.tenants import CHART, tenants

__all__ = ["CHART", "copies", "identity", "tenants"]
