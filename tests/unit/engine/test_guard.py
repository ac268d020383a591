"""What a run is given is noted only where it stayed the same until its end."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_infra.engine import guard
from mlops_infra.engine.last_run import Given, LastRun
from mlops_infra.engine.stack_dir import StackDir


@pytest.mark.parametrize(("after", "noted"), [("same", True), ("edited", False)])
def test_what_was_edited_during_a_run_is_not_taken_for_what_it_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str, noted: bool
) -> None:
    digests = iter(["same", after])
    monkeypatch.setattr(guard, "inputs_digest", lambda *_: next(digests))
    stack_dir = StackDir("one", tmp_path)

    def up(_allow: object, *, given: Given, **_: object) -> None:
        LastRun(given, "state").keep(stack_dir)

    engine: Any = SimpleNamespace(up=up, stack_dir=stack_dir, environment={}, tools=None)
    config = SimpleNamespace(allow_replace=[])
    record = SimpleNamespace(site=None)
    want: Any = SimpleNamespace(config=config, record=record, digest="asked", file=tmp_path / "f")
    judge: Any = SimpleNamespace(allow=None, make_way=None)
    guard.guarded_up(want, engine, judge, False, True)
    assert (LastRun.of(stack_dir) != LastRun()) is noted
