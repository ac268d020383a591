"""The program as aws-lab calls it: it reads an attribute that newer releases of Pulumi have."""

from __future__ import annotations

import pulumi
from pulumi.runtime import mocks

from mlops_infra.config import StackConfig, parse_pulumi
from stacks.program import _values, build, program


def run() -> None:
    """The stack as its file says."""
    _understand()
    program()


def run_emptying() -> None:
    """The stack with buckets that `destroy` empties, whatever its policy.

    What aws-prod retains at `down` cannot be told to Terraform, and the emulator does write access
    logs: a destroy that shall leave nothing has to empty, as `down --purge` does.
    """
    _understand()
    build(_emptied(parse_pulumi(_values(), source=f"stack {pulumi.get_stack()}")))


def _emptied(config: StackConfig) -> StackConfig:
    assert config.aws is not None
    lake = config.aws.lake.model_copy(update={"force_destroy": True})
    return config.model_copy(update={"aws": config.aws.model_copy(update={"lake": lake})})


def _understand() -> None:
    if not hasattr(mocks.MockResourceArgs, "transforms"):
        # transforms that the engine would call back; this program's run in its own process
        mocks.MockResourceArgs.transforms = ()  # type: ignore[attr-defined]
