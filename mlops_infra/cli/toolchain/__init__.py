"""`mlops-infra toolchain`."""

from mlops_infra.cli.toolchain.group import command

__all__ = ["command"]
