"""`mlops-infra images`."""

from mlops_infra.cli.images.group import command

__all__ = ["command"]
