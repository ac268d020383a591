"""`mlops-infra lifecycle`."""

from mlops_infra.cli.lifecycle.group import command

__all__ = ["command"]
