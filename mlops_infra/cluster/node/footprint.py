"""What a machine looks like right now, to prove that a cluster left nothing behind.

`snapshot()` before, `snapshot()` after, `difference()` of the two is empty. Looks at everything a
cluster could touch on the host: processes, mounts, interfaces, addresses, routes, packet filter
rules, cgroups, kernel settings, sockets, files of our own folders.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from mlops_infra import places
from mlops_infra.cluster.instance.layout import NODE_ETC
from mlops_infra.cluster.node import cgroups

MARKS = ("mlops_infra.cluster", NODE_ETC, "/clusters/")
"""In the command line of whatever a cluster runs outside of containers."""
GROUP = "mlops-infra-"
"""In the cgroup of everything a real cluster runs, containers included."""
SETTINGS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    "net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/ipv4/conf/all/rp_filter",
    "net/bridge/bridge-nf-call-iptables", "net/netfilter/nf_conntrack_max",
)  # fmt: skip
"""Kernel settings that Kubernetes' own processes change where they are let."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Sets of lines, one set a kind of thing."""

    processes: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    iptables: frozenset[str] = frozenset()
    cgroups: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    sockets: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()


def snapshot(files: Iterable[Path] | None = None, *, unlike: Iterable[int] = ()) -> Footprint:
    """Look at this machine.

    Args:
        files: folders whose entries count; the data folder's own `clusters` where not given.
        unlike: process ids to leave out beside this process and its parents.
    """
    folders = tuple(files) if files is not None else (places.data() / "clusters",)
    return Footprint(
        processes=frozenset(_processes({*_ancestors(), *unlike})),
        mounts=frozenset(Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()),
        links=frozenset(link.name for link in Path("/sys/class/net").iterdir()),
        routes=frozenset(_routes()),
        iptables=frozenset(_iptables()),
        cgroups=frozenset(_cgroups()),
        settings=frozenset(_settings()),
        modules=frozenset(_modules()),
        sockets=frozenset(_sockets()),
        files=frozenset(str(found) for folder in folders for found in _below(folder)),
    )


def difference(before: Footprint, after: Footprint) -> tuple[str, ...]:
    """What is there now and was not, or changed: `kind: line`, sorted. Empty means clean."""
    found = []
    for field in fields(Footprint):
        fresh = getattr(after, field.name) - getattr(before, field.name)
        found += [f"{field.name}: {line}" for line in sorted(fresh)]
    return tuple(found)


def _ancestors() -> set[int]:
    found, pid = set(), os.getpid()
    while pid > 0:
        found.add(pid)
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        pid = int(text.rpartition(")")[2].split()[1])
    return found


def _processes(unlike: set[int]) -> Iterator[str]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) in unlike:
            continue
        try:
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
            group = (folder / "cgroup").read_text(encoding="utf-8")
        except OSError:
            continue  # it ended while we looked
        # without a command line: a kernel thread, or ended and waiting for its parent
        if command and (GROUP in group or any(mark in command for mark in MARKS)):
            yield f"{folder.name} {command.strip()}"


def _routes() -> Iterator[str]:
    for file in ("route", "ipv6_route"):
        path = Path("/proc/net") / file
        if path.exists():
            for line in path.read_text(encoding="ascii").splitlines():
                # use counters move by themselves
                words = line.split()
                yield " ".join(words[:4] if file == "route" else [*words[:5], words[-1]])


def _iptables() -> Iterator[str]:
    for program in ("iptables-save", "ip6tables-save", "nft"):
        if shutil.which(program) is None:
            continue
        command = [program, "list", "ruleset"] if program == "nft" else [program]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if not line.startswith((":", "#")):
                yield f"{program}: {line.strip()}"
    for file in ("ip_tables_names", "ip6_tables_names"):
        path = Path("/proc/net") / file
        if path.exists() and os.access(path, os.R_OK):
            yield from (f"{file}: {line}" for line in path.read_text("ascii").splitlines())


def _cgroups() -> Iterator[str]:
    for hierarchy in cgroups.hierarchies():
        for top in hierarchy.path.glob("mlops-infra-*"):
            yield from (folder for folder, _, _ in os.walk(top))
        yield from (str(found) for found in hierarchy.path.glob("kubepods*"))


def _settings() -> Iterator[str]:
    for name in SETTINGS:
        path = Path("/proc/sys") / name
        if path.exists():
            yield f"{name} = {path.read_text(encoding='ascii').strip()}"


def _modules() -> Iterator[str]:
    path = Path("/proc/modules")
    if path.exists():
        yield from (line.split()[0] for line in path.read_text(encoding="ascii").splitlines())


def _sockets() -> Iterator[str]:
    """Unix sockets with a name of ours."""
    for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and ("mlops-infra" in words[7] or "containerd" in words[7]):
            yield words[7]


def _below(folder: Path) -> Iterator[Path]:
    if folder.exists():
        yield folder
        for parent, folders, files in os.walk(folder):
            yield from (Path(parent) / name for name in (*folders, *files))
