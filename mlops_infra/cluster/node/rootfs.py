"""The node's root file system, put together by the supervisor in its own mount namespace.

Lower layer: the unpacked `node` image, shared by all clusters and never written. Upper layer: in
memory, so that a crash leaves no half-written root. What must last is bound from the cluster's
folder. All of it vanishes with the namespace.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.cluster.instance.layout import (
    NODE_BIN,
    NODE_CNI_BIN,
    NODE_ETC,
    NODE_VOLUMES,
    Layout,
)
from mlops_infra.cluster.node import cgroups, mounts, network

KEPT: Mapping[str, str] = {
    "etcd": "/var/lib/etcd",
    "containerd": "/var/lib/containerd",
    "kubelet": "/var/lib/kubelet",
    "pods": "/var/log/pods",
    "volumes": NODE_VOLUMES,
}
"""Folders that outlive a stop, and where the node sees them."""

DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "kmsg", "fuse")


SHADOWED = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}
"""What the kubelet insists on (its `setupKernelTunables`). These belong to the whole host, so the
node is shown files that say so and the kernel keeps its own values."""


@dataclass(frozen=True, slots=True)
class Root:
    """What the node's root is made of."""

    image: Path
    """The unpacked `node` image."""
    binaries: Mapping[str, str]
    """Name in `NODE_BIN` -> file on the host."""
    cni: str
    """Folder of the CNI plugins on the host."""
    hostname: str


def assemble(layout: Layout, root: Root) -> Path:
    """Mount everything; returns the node's root.

    Raises:
        OSError: the kernel refused a mount; the message names it.
    """
    top = layout.mount
    mounts.tmpfs(top, size="1g")
    upper, work, merged = top / "upper", top / "work", top / "root"
    for folder in (upper, work, merged):
        folder.mkdir()
    options = f"lowerdir={_escaped(root.image)},upperdir={upper},workdir={work}"
    mounts.mount("overlay", merged, "overlay", 0, options)
    _kernel_views(merged)
    _devices(merged / "dev")
    for name, mode in (("run", "755"), ("tmp", "1777")):
        mounts.tmpfs(merged / name, mode=mode, size="512m", flags=mounts.NOSUID | mounts.NODEV)
    _shadow(merged)
    (merged / "run/lock").mkdir()
    for name, file in root.binaries.items():
        mounts.bind(Path(file), merged / NODE_BIN.lstrip("/") / name, read_only=True)
    mounts.bind(Path(root.cni), merged / NODE_CNI_BIN.lstrip("/"), read_only=True)
    mounts.bind(layout.etc, merged / NODE_ETC.lstrip("/"), read_only=True)
    for name, inside in KEPT.items():
        mounts.bind(layout.kept(name), merged / inside.lstrip("/"))
    _files(merged, root.hostname)
    return merged


def enclose(merged: Path) -> int:
    """Make the mount namespace in which the node's processes live; returns a handle to it.

    Its root is the node's: no path leads from there to the host's files. Mounts are shared within,
    since Pods may ask for propagation.

    Raises:
        OSError: the kernel refused.
    """
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            mounts.own_space(merged)
            os.write(tell, b"+")
            signal.pause()
        except OSError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(1)
    os.close(tell)
    answer = os.read(told, 4096)
    os.close(told)
    try:
        if answer != b"+":
            raise OSError(f"the node's mount namespace: {answer.decode() or 'no answer'}")
        return os.open(merged / "proc" / str(pid) / "ns/mnt", os.O_RDONLY)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _escaped(path: Path) -> str:
    # the kernel splits overlay's options at commas and lower layers at colons
    return str(path).replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def _kernel_views(merged: Path) -> None:
    """Proc of the cluster's processes, sys of its network, cgroups from its own group down."""
    flags = mounts.NOSUID | mounts.NODEV | mounts.NOEXEC
    proc, sys = merged / "proc", merged / "sys"
    for folder in (proc, sys):
        folder.mkdir(exist_ok=True)
    mounts.mount("proc", proc, "proc", flags)
    for writable in ("sys", "sys/net"):
        mounts.mount(str(proc / writable), proc / writable, flags=mounts.BIND)
    mounts.mount("", proc / "sys", flags=mounts.BIND | mounts.REMOUNT | mounts.READ_ONLY)
    mounts.mount("sysfs", sys, "sysfs", flags)
    top = sys / "fs/cgroup"
    found = cgroups.hierarchies()
    if cgroups.unified_only(found):
        mounts.mount("cgroup2", top, "cgroup2", flags)
        cgroups.settle(top)
        return
    mounts.tmpfs(top, flags=flags)
    for hierarchy in found:
        target = top / hierarchy.path.name
        target.mkdir()
        kind = "cgroup" if hierarchy.version == 1 else "cgroup2"
        mounts.mount(kind, target, kind, flags, ",".join(hierarchy.options))


def _shadow(merged: Path) -> None:
    shown = merged / "run/mlops-infra/sysctl"
    shown.mkdir(parents=True)
    for name, value in SHADOWED.items():
        real = merged / "proc/sys" / name
        if real.exists() and real.read_text(encoding="ascii").strip() != str(value):
            file = shown / name.replace("/", ".")
            file.write_text(f"{value}\n", encoding="ascii")
            mounts.bind(file, real)


def _devices(dev: Path) -> None:
    mounts.tmpfs(dev, flags=mounts.NOSUID)
    for name in DEVICES:
        source = Path("/dev") / name
        if source.exists():
            status = source.stat()
            os.mknod(dev / name, status.st_mode, status.st_rdev)
            (dev / name).chmod(status.st_mode)
    (dev / "pts").mkdir()
    mounts.mount(
        "devpts", dev / "pts", "devpts", mounts.NOSUID, "newinstance,ptmxmode=666,mode=620"
    )
    (dev / "ptmx").symlink_to("pts/ptmx")
    mounts.tmpfs(dev / "shm", mode="1777", flags=mounts.NOSUID | mounts.NODEV)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        (dev / name).symlink_to(f"/proc/self/fd{target}")


def _files(merged: Path, hostname: str) -> None:
    etc = merged / "etc"
    (etc / "hostname").write_text(f"{hostname}\n", encoding="ascii")
    (etc / "hosts").write_text(
        f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {hostname}\n", "ascii"
    )
    # a node without a way out has no name server; Pods get CoreDNS from the kubelet
    (etc / "resolv.conf").unlink(missing_ok=True)
    (etc / "resolv.conf").write_text("options ndots:0\n", encoding="ascii")
    for file, line in (("passwd", "root:x:0:0:root:/root:/bin/sh\n"), ("group", "root:x:0:\n")):
        if not (etc / file).exists():
            (etc / file).write_text(line, encoding="ascii")
    machine = etc / "machine-id"
    if not machine.exists() or not machine.read_text(encoding="ascii").strip():
        machine.write_text(f"{int(hostname.encode().hex(), 16) % 16**32:032x}\n", encoding="ascii")


def choose_iptables(merged: Path) -> str:
    """Point `iptables` and its kin at the flavour this kernel has; returns `nft` or `legacy`.

    Debian does this in maintainer scripts, which never run for the node's image.

    Raises:
        OSError: the kernel has neither.
    """
    reason = ""
    for flavour in ("nft", "legacy"):
        multi = f"xtables-{flavour}-multi"
        if not (merged / "usr/sbin" / multi).exists():
            continue
        for family in ("iptables", "ip6tables"):
            for suffix in ("", "-save", "-restore"):
                link = merged / "usr/sbin" / f"{family}{suffix}"
                link.unlink(missing_ok=True)
                link.symlink_to(multi)
        try:
            network.run_in(merged, "iptables", "-w", "-t", "nat", "-S")
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip()
            continue
        return flavour
    raise OSError(f"iptables does not work on this kernel: {reason}")
