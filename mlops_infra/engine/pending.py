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


def clear(
    run: Run, deployment: Mapping[str, Any], stack: str, scratch: Path, sink: Sink
) -> list[str]:
    """Remove the marks and return the URNs of what may or may not have happened.

    Args:
        run: for `stack export` and `stack import`; secrets stay encrypted in both.
        deployment: the state, as `deployment_of` or an export has it.
        stack: name of the stack.
        scratch: a private folder.
        sink: told what is cleared.
    """
    if not deployment.get("pending_operations"):
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


def deployment_of(state: Path) -> dict[str, Any]:
    """What a file backend's state holds, plain or compressed; nothing where there is no state.

    Raises:
        OperationFailed: it cannot be read.
    """
    packed = state.with_name(f"{state.name}.gz")
    try:
        if state.exists():
            text = state.read_bytes()
        elif packed.exists():
            text = gzip.decompress(packed.read_bytes())
        else:
            return {}
        return json.loads(text)["checkpoint"].get("latest") or {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationFailed(
            "the state cannot be read",
            where=str(state),
            hint=f"the previous one is {state}.bak",
        ) from error


def _urn(operation: dict[str, Any]) -> str:
    return str(operation.get("resource", {}).get("urn", ""))


def _name(operation: dict[str, Any]) -> str:
    return _urn(operation).rpartition("::")[2]
