"""Operations that a killed run left half done in the state.

Pulumi writes what it is about to do before it does it. After a kill nobody knows whether it was
done. Updates and deletes are simply done again. A create is done again too: it is a server-side
apply with the stack's own field manager, which finds what it has written before. So the marks
themselves can go.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

Run = Callable[[list[str]], str]
"""Runs one `pulumi` command and returns its stdout."""


def clear(run: Run, state: Path | None, stack: str, scratch: Path, sink: Sink) -> list[str]:
    """Remove the marks and return the URNs of what may or may not have happened.

    Args:
        run: for `stack export` and `stack import`; secrets stay encrypted in both.
        state: the file backend's state, to look at before two more processes are started.
        stack: name of the stack.
        scratch: a private folder.
        sink: told what is cleared.
    """
    if state is not None and state.exists() and not _pending(_local(state)):
        return []
    exported = json.loads(run(["stack", "export", "--stack", stack]))
    pending = exported.get("deployment", {}).get("pending_operations") or []
    if not pending:
        return []
    with step(sink, "Clearing pending operations of a killed run") as work:
        for each in pending:
            work.note(f"{each.get('type')} {_name(each)}")
        exported["deployment"]["pending_operations"] = []
        file = scratch / "import.json"
        try:
            file.touch(mode=0o600)
            file.write_text(json.dumps(exported), encoding="utf-8")
            run(["stack", "import", "--stack", stack, "--file", str(file)])
        finally:
            file.unlink(missing_ok=True)
        work.end("done", f"{len(pending)} operations to check again")
    return [_urn(each) for each in pending]


def resources(state: Path) -> list[Mapping[str, Any]]:
    """The resources of a file backend's state, plain or compressed; none where there is no state.

    Raises:
        OperationFailed: it cannot be read.
    """
    if state.exists():
        return list(_local(state).get("resources") or ())
    packed = state.with_name(f"{state.name}.gz")
    if not packed.exists():
        return []
    checkpoint = json.loads(gzip.decompress(packed.read_bytes()))["checkpoint"]
    return list((checkpoint.get("latest") or {}).get("resources") or ())


def _local(state: Path) -> dict[str, Any]:
    try:
        checkpoint = json.loads(state.read_text(encoding="utf-8"))["checkpoint"]
    except (ValueError, KeyError, TypeError) as error:
        raise OperationFailed(
            "the state cannot be read",
            where=str(state),
            hint=f"the previous one is {state}.bak",
        ) from error
    return checkpoint.get("latest") or {}


def _pending(deployment: dict[str, Any]) -> bool:
    return bool(deployment.get("pending_operations"))


def _urn(operation: dict[str, Any]) -> str:
    return str(operation.get("resource", {}).get("urn", ""))


def _name(operation: dict[str, Any]) -> str:
    return _urn(operation).rpartition("::")[2]
