"""`mlops-infra cluster`."""

from mlops_infra.cli.cluster.group import command

__all__ = ["command"]
