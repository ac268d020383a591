"""`mlops-infra bundle`."""

from mlops_infra.cli.bundle.group import command

__all__ = ["command"]
