"""Who holds a stack, told from a lock file alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops_infra.engine import locks
from mlops_infra.errors import StackLocked
from mlops_infra.progress import Event, quiet


@pytest.fixture
def backend(tmp_path: Path) -> str:
    return f"file://{tmp_path}"


def _lock(backend: str, *, pid: int, host: str | None = None, at: str | None = None) -> Path:
    folder = Path(backend.removeprefix("file://")) / ".pulumi/locks/organization/mlops-infra/one"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": pid,
        "username": "lee",
        "hostname": host or platform.node(),
        "timestamp": at or datetime.now(UTC).isoformat(),
    }
    file = folder / f"{pid}-{host}.json"
    file.write_text(json.dumps(content))
    return file


def _dead() -> int:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    return child.pid


def test_a_dead_owner_on_this_machine_is_removed_with_a_notice(backend: str) -> None:
    file = _lock(backend, pid=_dead())
    events: list[Event] = []
    locks.clear(backend, "one", events.append, break_lock=False)
    assert not file.exists()
    assert "no longer running" in events[-1].text


def test_a_live_owner_is_named_and_left_alone(backend: str) -> None:
    file = _lock(backend, pid=os.getpid())
    with pytest.raises(StackLocked, match=rf"process {os.getpid()} \(still running\)") as caught:
        locks.clear(backend, "one", quiet, break_lock=False)
    assert caught.value.exit_code == 1
    assert caught.value.hint == "wait until it ends"
    assert file.exists()


def test_an_owner_on_another_machine_cannot_be_asked(backend: str) -> None:
    file = _lock(backend, pid=_dead(), host="elsewhere")
    with pytest.raises(StackLocked) as caught:
        locks.clear(backend, "one", quiet, break_lock=False)
    assert caught.value.hint is not None
    assert "--break-lock" in caught.value.hint
    locks.clear(backend, "one", quiet, break_lock=True)
    assert not file.exists()


def test_a_process_that_took_over_the_number_is_not_the_owner(backend: str) -> None:
    file = _lock(backend, pid=os.getpid(), at="2020-01-01T00:00:00.123456789Z")
    locks.clear(backend, "one", quiet, break_lock=False)
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "{", '{"pid": "x"}', "[]", '{"pid": 1}'])
def test_a_lock_cut_short_counts_only_while_it_is_fresh(backend: str, content: str) -> None:
    file = _lock(backend, pid=1)
    file.write_text(content)
    with pytest.raises(StackLocked):
        locks.clear(backend, "one", quiet, break_lock=False)
    os.utime(file, (0, 0))
    locks.clear(backend, "one", quiet, break_lock=False)
    assert not file.exists()


def test_other_stacks_and_other_backends_are_not_looked_at(backend: str) -> None:
    _lock(backend, pid=os.getpid())
    locks.clear(backend, "two", quiet, break_lock=False)
    locks.clear("s3://bucket", "one", quiet, break_lock=False)
