"""Reads the stack's configuration and builds its profile."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, get_config_env

from mlops_infra import contract
from mlops_infra.config import StackConfig, parse_pulumi
from mlops_infra.errors import MlopsError

CONFIG_FILE_VARIABLE = "PULUMI_OPTION_CONFIG_FILE"


def program() -> None:
    """Build the platform that the stack's configuration asks for.

    Raises:
        pulumi.RunError: the configuration or this machine does not allow it; Pulumi shows the text
            without a traceback.
    """
    try:
        refuse_stale_copy()
        build(parse_pulumi(_values(), source=f"stack {pulumi.get_stack()}"))
    except MlopsError as error:
        raise pulumi.RunError(_error_text(error)) from error


def build(config: StackConfig) -> None:
    """Build the profile of `config`; imports only what that one needs."""
    match config.profile:
        case "onprem":
            from stacks import onprem

            onprem.build(config, stack=pulumi.get_stack())
        case "aws":
            from stacks import aws

            aws.build(config, stack=pulumi.get_stack())


def refuse_stale_copy() -> None:
    """Stop plain `pulumi` where the stack's file was edited after `mlops-infra env` copied it.

    Pulumi writes the passphrase's salt beside the configuration it reads, so it reads a private
    copy; deploying an old copy in silence would be worse than asking for the command again.
    """
    original, copy = (
        os.environ.get(contract.STACK_FILE_VARIABLE),
        os.environ.get(CONFIG_FILE_VARIABLE),
    )
    if not original or not copy or not Path(original).exists():
        return
    if _config_of(Path(original)) != _config_of(Path(copy)):
        raise pulumi.RunError(
            f"{original} has changed since its private copy was made\n"
            f'  next:  eval "$(mlops-infra env -s {pulumi.get_stack()})"'
        )


def _config_of(file: Path) -> object:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found.get("config") if isinstance(found, dict) else None


def _values() -> dict[str, Any]:
    # `pulumi.Config` reads one known key at a time; unknown keys must be seen to be refused.
    return {**get_config_env(), **CONFIG.get()}


def _error_text(error: MlopsError) -> str:
    problems = getattr(error, "problems", ())
    lines = [f"  {p.path}: {p.message}" for p in problems]
    return "\n".join([str(error), *lines])
