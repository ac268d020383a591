"""Removes what a stack leaves on this machine once nothing of it is left anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlops_infra import places
from mlops_infra.engine import environment, locks
from mlops_infra.engine.stack_dir import PROJECT, StackDir
from mlops_infra.files import remove_tree


def forget_files(stack: str, backend: str) -> None:
    """Remove the stack's folder and, in the default backend, its history and backups."""
    stack_dir = StackDir.of(stack)
    if stack_dir.folder.exists():
        stack_dir.remove()
    folder = locks.state_folder(backend)
    if folder == environment.local_state():
        for kind in ("stacks", "history", "backups"):
            for left in (folder / ".pulumi" / kind / PROJECT).glob(f"{stack}*"):
                if left.name == stack or left.name.startswith(f"{stack}."):
                    _remove(left)
        _remove(folder / ".pulumi" / "locks" / "organization" / PROJECT / stack)
        if not _stacks(folder):
            _remove(folder)
    prune(places.data())


def still_there(paths: Iterable[Path]) -> list[str]:
    """Which of the paths that must be gone are there."""
    return [str(path) for path in paths if path.exists()]


def prune(folder: Path) -> None:
    """Remove `folder` where it holds nothing, and the empty folders just below it."""
    if not folder.is_dir():
        return
    for below in [folder / "stacks", folder / "clusters", folder]:
        if below.is_dir() and not any(below.iterdir()):
            below.rmdir()


def _stacks(state: Path) -> list[Path]:
    return list((state / ".pulumi" / "stacks").glob("*/*.json"))


def _remove(path: Path) -> None:
    if path.is_dir():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)
