"""The program as aws-lab calls it: it reads an attribute that newer releases of Pulumi have."""

from __future__ import annotations

from pulumi.runtime import mocks

from stacks.program import program


def run() -> None:
    if not hasattr(mocks.MockResourceArgs, "transforms"):
        # transforms that the engine would call back; this program's run in its own process
        mocks.MockResourceArgs.transforms = ()  # type: ignore[attr-defined]
    program()
