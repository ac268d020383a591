"""Repairs the one damage that a full disk or a power loss does to the file backend: a cut state."""

from __future__ import annotations

import json
from pathlib import Path

from mlops_infra.engine import locks
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step


def mend(backend: str, stack: str, sink: Sink) -> None:
    """Put Pulumi's own copy back where the state of `stack` cannot be read.

    The copy is one step old: what that step made is taken over by the next run, as after a kill.

    Raises:
        OperationFailed: there is no readable copy either.
    """
    state = locks.state_file(backend, stack)
    if state is None or not state.exists() or _readable(state):
        return
    copy = state.with_name(state.name + ".bak")
    with step(sink, "Mending the state") as work:
        if copy.exists() and _readable(copy):
            fresh = state.with_name(f".{state.name}")
            fresh.write_bytes(copy.read_bytes())
            fresh.replace(state)
            work.end("done", f"the state was cut short; its copy of one step before is in {state}")
        elif state.stat().st_size == 0:
            state.unlink()
            work.end("done", "the first write of the state had failed: it begins anew")
        else:
            raise OperationFailed(
                "the state is damaged, and so is its copy",
                where=str(state),
                hint=f"put a file from {state.parents[2] / 'backups'} in its place",
            )


def _readable(file: Path) -> bool:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(found, dict) and isinstance(found.get("checkpoint"), dict)
