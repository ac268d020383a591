"""The supervisor as seen from a command: start it, find it, stop it, run something beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mlops_infra.cluster.instance import state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import cgroups
from mlops_infra.errors import OperationFailed

_PACKAGE = str(Path(__file__).parents[3])
_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1));"
    "from mlops_infra.cluster.supervision.detached_start import main; main(*sys.argv[1:])"
)


def launch(layout: Layout, *, isolated: bool) -> int:
    """Start the supervisor; returns the process id that the host knows it (or its parent) by.

    Raises:
        OperationFailed: it could not be started at all.
    """
    layout.state.unlink(missing_ok=True)
    command = [sys.executable, "-I", "-c", _BOOT, _PACKAGE, str(layout.folder), layout.name]
    if isolated:
        cgroups.create(layout.cgroup)
        command.append(layout.cgroup)
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise OperationFailed(
            f"the supervisor could not be started: {done.stderr.strip()[-300:]}",
            where=str(layout.log("supervisor")),
            hint="see the log above",
        )
    pid = int(done.stdout)
    state.write(layout.daemon, {"pid": pid, "started": _started(pid)})
    return pid


def alive(layout: Layout) -> bool:
    """Whether the supervisor runs: it holds a lock that only its death releases."""
    return state.held(layout.alive)


def outer(layout: Layout) -> int | None:
    """Host process id of what `launch` started, if that very process still lives."""
    found = state.read(layout.daemon)
    if found is None:
        return None
    pid = int(found["pid"])
    return pid if _started(pid) == found["started"] is not None else None


def inner(layout: Layout) -> int | None:
    """Host process id of the supervisor itself: the child of `unshare`, or `outer` without it."""
    pid = outer(layout)
    if pid is None:
        return None
    if _name(pid) != "unshare":
        return pid
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _parent(int(folder.name)) == pid:
            return int(folder.name)
    return None


def stop(layout: Layout, *, patience: float) -> bool:
    """SIGTERM to the supervisor, SIGKILL to everything after `patience` s; True when it obeyed."""
    pid = inner(layout)
    if pid is not None and alive(layout):
        _signal(pid, signal.SIGTERM)
        if _wait_dead(layout, patience):
            return True
    kill(layout)
    return False


def reload(layout: Layout) -> None:
    """Have the supervisor take up the processes that its plan has got since."""
    pid = inner(layout)
    if pid is not None:
        _signal(pid, signal.SIGHUP)


def kill(layout: Layout) -> None:
    """SIGKILL to the supervisor and, by that, to everything in its namespace."""
    for pid in (inner(layout), outer(layout)):
        if pid is not None:
            _signal(pid, signal.SIGKILL)
    _wait_dead(layout, 5.0)


def sweep(layout: Layout) -> None:
    """SIGKILL to whatever is still in the cluster's cgroup: a supervisor killed half-way."""
    for _ in range(50):
        pids = cgroups.members(layout.cgroup)
        if not pids:
            return
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.05)


def _wait_dead(layout: Layout, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while alive(layout) or outer(layout) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _stat(pid: int) -> list[str] | None:
    try:
        text = (Path("/proc") / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    head, _, rest = text.rpartition(")")
    return [head.partition("(")[2], *rest.split()]


def _started(pid: int) -> str | None:
    """Start time in ticks since boot, with the boot: a process id alone may be reused."""
    fields = _stat(pid)
    if fields is None or fields[1] == "Z":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{fields[20]}"


def _name(pid: int) -> str:
    fields = _stat(pid)
    return fields[0] if fields else ""


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[2]) if fields else None


EVERY_SPACE = ("--uts", "--ipc", "--net", "--pid", "--cgroup")


def enter(layout: Layout, *command: str, spaces: tuple[str, ...] = EVERY_SPACE) -> list[str]:
    """The command line that runs `command` in the node: its files and its namespaces.

    Raises:
        OperationFailed: the cluster does not run.
    """
    pid = inner(layout)
    space = (state.read(layout.state) or {}).get("facts", {}).get("space")
    if pid is None or space is None:
        raise OperationFailed(
            f"cluster {layout.name} does not run",
            hint=f"mlops-infra cluster start {layout.name}",
        )
    return ["nsenter", "--target", str(pid), f"--mount=/proc/{pid}/fd/{space}", *spaces,
            "--", "/usr/bin/env", "-i",
            "PATH=/opt/mlops-infra/bin:/usr/sbin:/usr/bin:/sbin:/bin", *command]  # fmt: skip
