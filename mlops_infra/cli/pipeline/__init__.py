"""`mlops-infra pipeline`."""

from mlops_infra.cli.pipeline.group import command

__all__ = ["command"]
