"""Repairs what a full disk, a kill or a power loss does to the file backend: files cut short.

Pulumi keeps a copy of one step before, and one of every finished run. Where both are cut too, the
state begins anew from what the cluster holds: names and passwords are always the same, and the
provider takes over objects that carry the stack's own field manager.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from mlops_infra.engine import locks
from mlops_infra.engine.stack_dir import PROJECT
from mlops_infra.progress import Sink, step

_ATTRIBUTES = ".attrs"
"""What the backend keeps beside each file: sizes and sums of its content."""


def mend(backend: str, stack: str, sink: Sink) -> bool:
    """Make the state of `stack` readable again; True where something had to be done.

    The damaged file is kept aside as `<stack>.json.damaged`.
    """
    state = locks.state_file(backend, stack)
    if state is None:
        return False
    _drop_cut_attributes(state, sink)
    if not state.exists() or _readable(state):
        return False
    with step(sink, "Repairing the state") as work:
        damaged = state.with_name(f"{state.name}.damaged")
        state.replace(damaged)
        _attributes(state).unlink(missing_ok=True)
        copy = next((each for each in _copies(state, stack) if _readable(each)), None)
        if copy is None:
            told = "it is rebuilt from the cluster"
        else:
            told = f"taken from {copy}"
            shutil.copyfile(copy, state)
            if _attributes(copy).exists():
                shutil.copyfile(_attributes(copy), _attributes(state))
        work.end("done", f"the state was truncated (kept as {damaged}): {told}")
    return True


def _drop_cut_attributes(state: Path, sink: Sink) -> None:
    """Nothing reads them but the backend, which takes a cut one for a cut state: `EOF`."""
    meta = state.parents[2] / "meta.yaml"
    files = (_attributes(each) for each in (meta, state, state.with_name(f"{state.name}.bak")))
    if cut := [file for file in files if file.exists() and _parsed(file) is None]:
        with step(sink, "Repairing the state") as work:
            for file in cut:
                file.unlink()
            work.end("done", f"truncated and not needed: {', '.join(map(str, cut))}")


def _copies(state: Path, stack: str) -> Iterator[Path]:
    """The newest first."""
    yield state.with_name(f"{state.name}.bak")
    finished = state.parents[2] / "backups" / PROJECT / stack
    if finished.is_dir():
        yield from sorted(finished.glob(f"{stack}.*.json"), reverse=True)


def _readable(file: Path) -> bool:
    found = _parsed(file)
    return isinstance(found, dict) and isinstance(found.get("checkpoint"), dict)


def _parsed(file: Path) -> object:
    """The JSON in `file`; None where it is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _attributes(file: Path) -> Path:
    return file.with_name(file.name + _ATTRIBUTES)
