"""Looking at a program without AWS leaves nothing behind, also when the program fails."""

from __future__ import annotations

import asyncio
import time

import pulumi
import pytest

from mlops_infra.engine import declaration
from mlops_infra.errors import OperationFailed


def _program() -> None:
    for number in range(12):
        pulumi.CustomResource("example:index:Thing", f"thing-{number}", {})
    raise RuntimeError("a fault of the program")


def test_a_program_that_fails_half_way_leaves_no_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[asyncio.AbstractEventLoop] = []
    original = asyncio.new_event_loop

    def slow() -> asyncio.AbstractEventLoop:
        time.sleep(0.02)  # so that workers still start while the program already fails
        made.append(original())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", slow)
    with pytest.raises(OperationFailed, match="a fault of the program"):
        declaration.declared(_program, stack="example", values={})
    time.sleep(0.1)
    assert made
    assert [loop for loop in made if not loop.is_closed()] == []
