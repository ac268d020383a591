"""The resources that a stack's file asks for on AWS, told without AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path

import yaml

from mlops_infra import config as configuration
from mlops_infra import contract
from mlops_infra.engine.declaration import Declared, declared
from mlops_infra.engine.environment import applied
from mlops_infra.engine.prepare import asked
from mlops_infra.errors import InputError

_UNSEEN_MODEL = "arn:aws:sagemaker:us-east-1:000000000000:model-package/not-seen/1"


def graph_of(stack: str, file: Path | None) -> tuple[str, list[Declared]]:
    """The region, and every AWS resource that the program would declare.

    Needs neither credentials nor a plug-in nor a network.

    Raises:
        ConfigError: with every mistake of the file.
        InputError: the stack is not of the aws profile.
    """
    want = asked(stack, file)
    if want.record.site is None:
        raise InputError(
            f"stack {stack} has profile {want.config.profile}: only AWS resources have a price",
            where=str(want.file),
        )
    return want.record.site.region, declare(stack, want.file)


def declare(stack: str, file: Path) -> list[Declared]:
    """Every AWS resource that the stack's file, already checked, asks for."""
    from stacks.program import program

    # the registry cannot be asked here: some approved model stands for the one there may be
    seen = os.environ.get(contract.APPROVED_MODEL_VARIABLE) or _UNSEEN_MODEL
    with applied({contract.APPROVED_MODEL_VARIABLE: seen}):
        found = declared(program, stack=stack, values=_values(file))
    return [each for each in found if each.resource]


def _values(file: Path) -> dict[str, str]:
    """The configuration as Pulumi hands it to the program: objects as JSON text."""
    text = file.read_text(encoding="utf-8")
    settings = (yaml.safe_load(text) or {}).get("config", {})
    own = f"{configuration.NAMESPACE}:"
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in settings.items()
        if key.startswith(own)
    }
