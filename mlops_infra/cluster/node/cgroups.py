"""The cluster's own group in every cgroup hierarchy: v1, hybrid and v2 alike.

The launcher puts itself in, then enters a cgroup namespace, so that inside the node this group is
the root. Only the standard library: the launcher and the supervisor import this.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

LEAF = "init"
"""v2 allows processes in leaves only, so the node's own ones live beside `kubepods`."""
WANTED = ("cpu", "cpuset", "io", "memory", "pids")
"""Controllers the kubelet and runc ask for on v2."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One mounted cgroup hierarchy of the host."""

    path: Path
    version: int
    options: tuple[str, ...]
    """v1: what `mount -t cgroup -o` takes, for example `memory` or `none,name=systemd`."""


def hierarchies(mounts: str | None = None) -> tuple[Hierarchy, ...]:
    """All cgroup hierarchies mounted on this machine, from `/proc/self/mounts`."""
    text = Path("/proc/self/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    found: dict[tuple[str, ...], Hierarchy] = {}
    for line in text.splitlines():
        _, path, kind, options, *_ = line.split()
        if kind not in {"cgroup", "cgroup2"}:
            continue
        chosen = _v1_options(options) if kind == "cgroup" else ()
        found.setdefault(chosen, Hierarchy(Path(path), 1 if kind == "cgroup" else 2, chosen))
    return tuple(found.values())


def _v1_options(options: str) -> tuple[str, ...]:
    general = {"rw", "ro", "nosuid", "nodev", "noexec", "relatime", "noatime", "seclabel", "xattr"}
    names = [o for o in options.split(",") if o not in general and not o.startswith("release_")]
    return ("none", *names) if all(n.startswith("name=") for n in names) else tuple(names)


def unified_only(found: tuple[Hierarchy, ...]) -> bool:
    """Whether this is a pure v2 machine."""
    return all(hierarchy.version == 2 for hierarchy in found)


def create(name: str) -> None:
    """Make the group `name` at the top of every hierarchy, ready for processes.

    Raises:
        OSError: the machine does not allow it (no rights, or v2 controllers cannot be enabled).
    """
    for hierarchy in hierarchies():
        group = hierarchy.path / name
        if hierarchy.version == 2:
            _enable(hierarchy.path)
        group.mkdir(exist_ok=True)
        if "cpuset" in hierarchy.options:
            # an empty v1 cpuset takes no process
            for file in ("cpuset.cpus", "cpuset.mems"):
                (group / file).write_text((hierarchy.path / file).read_text(encoding="ascii"))


def _enable(folder: Path) -> None:
    """Let the groups below `folder` use every controller that exists and is wanted (v2)."""
    control = folder / "cgroup.subtree_control"
    there = set((folder / "cgroup.controllers").read_text(encoding="ascii").split())
    on = set(control.read_text(encoding="ascii").split())
    for controller in WANTED:
        if controller in there - on:
            control.write_text(f"+{controller}", encoding="ascii")


def enter(name: str) -> None:
    """Move this process into the group `name` of every hierarchy."""
    for hierarchy in hierarchies():
        (hierarchy.path / name / "cgroup.procs").write_text("0", encoding="ascii")


def settle(root: Path) -> None:
    """Inside the namespace, on v2: move to the leaf and pass the controllers on to `kubepods`."""
    leaf = root / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (root / "cgroup.procs").read_text(encoding="ascii").split():
        (leaf / "cgroup.procs").write_text(pid, encoding="ascii")
    _enable(root)


def members(name: str) -> set[int]:
    """Host process ids in the group `name` and below, over all hierarchies."""
    pids: set[int] = set()
    for folder in groups(name):
        try:
            text = (folder / "cgroup.procs").read_text(encoding="ascii")
        except OSError:
            continue  # the group went away while we looked
        pids |= {int(pid) for pid in text.split()}
    return pids


def groups(name: str) -> list[Path]:
    """Every folder of the group `name`, deepest first; those that go meanwhile are passed over."""
    found: list[Path] = []
    for hierarchy in hierarchies():
        top = hierarchy.path / name
        found += [Path(folder) for folder, _, _ in os.walk(top, topdown=False)]
    return found


def remove(name: str, *, patience: float = 5.0) -> list[Path]:
    """Remove the group `name` everywhere; returns what could not be removed in `patience` s."""
    deadline = time.monotonic() + patience
    while left := groups(name):
        for folder in left:
            try:
                folder.rmdir()
            except OSError:
                continue  # a process in it is still dying
        left = groups(name)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)
    return []
