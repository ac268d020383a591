"""`mlops-infra drift`."""

from mlops_infra.cli.drift.group import command

__all__ = ["command"]
