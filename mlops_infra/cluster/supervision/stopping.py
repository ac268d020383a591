"""Stop a cluster in an order that loses nothing: kubelet, Pods, control plane, database.

Runs inside the supervisor; only the standard library.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from mlops_infra.cluster.supervision.process import SupervisedProcess

FIRST = ("kubelet", "kwok", "local-path-provisioner")
"""Asked first: the kubelet would restart what is about to be stopped."""
LAST = ("containerd", "kube-apiserver", "etcd")
"""Asked last, in this order."""
PODS_TERM, PODS_INT = 5.0, 5.0
"""Seconds after SIGTERM, then after SIGINT (PostgreSQL: fast shutdown), before SIGKILL."""


class Running(Protocol):
    """What stopping needs of the supervisor."""

    children: list[SupervisedProcess]
    root: Path | None
    """Root of the node's file system; None where there is no node."""

    def reap(self) -> None:
        """Take note of processes that have ended."""

    def write(self) -> None:
        """Write the state file."""


def stop_all(supervisor: Running) -> None:
    """Stop Pods and children; returns when none is left or all were killed."""
    names = [child.spec.name for child in supervisor.children]
    _stop(supervisor, [name for name in names if name in FIRST])
    if supervisor.root is not None:
        _stop_pods(supervisor)
    _stop(supervisor, [name for name in names if name not in {*FIRST, *LAST}])
    for name in LAST:
        _stop(supervisor, [name] if name in names else [])


def _stop(supervisor: Running, names: list[str]) -> None:
    chosen = [child for child in supervisor.children if child.spec.name in names]
    for child in chosen:
        child.ask_to_stop()
    grace = max((child.spec.grace for child in chosen), default=0.0)
    if not _wait(supervisor, grace, lambda: all(child.pid is None for child in chosen)):
        for child in chosen:
            child.kill()
        _wait(supervisor, 2.0, lambda: all(child.pid is None for child in chosen))
    supervisor.write()


def _stop_pods(supervisor: Running) -> None:
    for number, patience in ((signal.SIGTERM, PODS_TERM), (signal.SIGINT, PODS_INT)):
        for pid in _contained(supervisor):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue  # it ended between the look and the signal
        if _wait(supervisor, patience, lambda: not _contained(supervisor)):
            return
    for pid in _contained(supervisor):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _wait(supervisor: Running, patience: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + patience
    while True:
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)
        supervisor.reap()
        if done():
            return True
        if time.monotonic() > deadline:
            return False


def _contained(supervisor: Running) -> set[int]:
    """Processes of containers: those below a shim, seen from the node's own /proc."""
    proc = (supervisor.root or Path("/")) / "proc"
    parents: dict[int, int] = {}
    shims: set[int] = set()
    for folder in proc.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked
        parents[int(folder.name)] = int(rest.split()[1])
        if name.startswith("containerd-shim"):
            shims.add(int(folder.name))
    found: set[int] = set()
    for pid in parents:
        above = parents[pid]
        while above not in shims and above > 1:
            above = parents.get(above, 0)
        if above in shims:
            found.add(pid)
    return found
