"""Locks of Pulumi's file backend: who holds the stack, whether that process lives, breaking them.

The backend's locks have no lease: a killed run leaves its file for ever (pulumi#9253). The file
names process, user and host, so on the same host it can be told whether anybody still holds it.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mlops_infra.engine.stack_dir import PROJECT
from mlops_infra.errors import StackLocked
from mlops_infra.progress import Sink, step

_WRITTEN_WHOLE = 5.0
"""Seconds after which an unreadable lock file is no longer one that is just being written."""


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file."""

    file: Path
    pid: int
    user: str
    host: str
    since: str
    alive: bool | None
    """None where the owner is on another host and cannot be asked."""

    def __str__(self) -> str:
        state = {True: "still running", False: "no longer running", None: "on another host"}
        return (
            f"{self.user}@{self.host}, process {self.pid} ({state[self.alive]}), since {self.since}"
        )


def state_folder(backend: str) -> Path | None:
    """Folder of a `file://` backend; None for any other."""
    parts = urlsplit(backend)
    if parts.scheme != "file":
        return None
    return Path(unquote(parts.netloc + parts.path)).expanduser()


def state_file(backend: str, stack: str) -> Path | None:
    """Where a file backend keeps the state of `stack`, existing or not."""
    folder = state_folder(backend)
    return folder and folder / ".pulumi" / "stacks" / PROJECT / f"{stack}.json"


def held(backend: str, stack: str) -> tuple[Lock, ...]:
    """The locks on `stack`; empty for backends whose locks cannot be read from here."""
    folder = state_folder(backend)
    if folder is None:
        return ()
    place = folder / ".pulumi" / "locks" / "organization" / PROJECT / stack
    if not place.is_dir():
        return ()
    found = (_read(file) for file in sorted(place.glob("*.json")))
    return tuple(lock for lock in found if lock is not None)


def clear(backend: str, stack: str, sink: Sink, *, break_lock: bool) -> None:
    """Remove locks whose owner is dead on this host, and with `break_lock` all of them.

    Raises:
        StackLocked: somebody holds the stack, or may hold it.
    """
    locks = held(backend, stack)
    gone = [lock for lock in locks if break_lock or lock.alive is False]
    if gone:
        with step(sink, "Removing locks of runs that ended") as work:
            for lock in gone:
                work.note(str(lock))
                lock.file.unlink(missing_ok=True)
            work.end("done", "; ".join(str(lock) for lock in gone))
    if left := [lock for lock in locks if lock not in gone]:
        raise refusal(stack, left)


def refusal(stack: str, locks: Sequence[Lock]) -> StackLocked:
    """The error that names the owners of `locks`."""
    running = any(lock.alive for lock in locks)
    return StackLocked(
        f"stack {stack} is locked by another run: {'; '.join(str(lock) for lock in locks)}",
        where=str(locks[0].file),
        hint="wait until it ends"
        if running
        else f"if that run has ended: mlops-infra up -s {stack} --break-lock",
    )


def _read(file: Path) -> Lock | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        pid, host = int(content["pid"]), str(content["hostname"])
        user, since = str(content["username"]), str(content["timestamp"])
        started = datetime.fromisoformat(since).timestamp()
    except FileNotFoundError:
        return None  # released while we looked
    except (ValueError, KeyError, TypeError):
        # Cut short by a kill or a full disk; nobody can own what names no owner, once it is old.
        old = time.time() - file.stat().st_mtime > _WRITTEN_WHOLE
        return Lock(file, 0, "unknown", platform.node(), "unknown", alive=not old)
    alive = _alive(pid, started) if host == platform.node() else None
    return Lock(file, pid, user, host, since[:19], alive)


def _alive(pid: int, locked_at: float) -> bool:
    """Whether the process that wrote the lock lives: a later one may have got its number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    after_name = fields.rpartition(")")[2].split()
    if after_name[0] == "Z":
        return False
    ticks = int(after_name[19])
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + ticks / os.sysconf("SC_CLK_TCK") <= locked_at + 1.0
