"""Tenants: a namespace each, with its own accounts at every store and declared paths only."""

from mlops_infra.plan.tenancy.accounts import copies, identity

__all__ = ["copies", "identity"]
