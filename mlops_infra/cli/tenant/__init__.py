"""`mlops-infra tenant`."""

from mlops_infra.cli.tenant.group import command

__all__ = ["command"]
