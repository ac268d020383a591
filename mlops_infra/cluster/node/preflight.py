"""What this machine lacks for a real node, said before anything is started."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from mlops_infra import contract
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import cgroups, mounts
from mlops_infra.errors import MissingError, OperationFailed

NEEDED_ROOM = 1 << 30
"""Bytes that the cluster's folder needs at the least: images are unpacked there."""
PROGRAMS = {"unshare": "util-linux", "nsenter": "util-linux", "chroot": "coreutils"}
SIMULATE = "for a control plane with simulated nodes: mlops-infra cluster start --simulated"


def can_be_real() -> bool:
    """Whether this process may make a real node at all: Linux and root."""
    return sys.platform == "linux" and os.geteuid() == 0


def all_simulated(asked: bool) -> str | None:
    """Why a cluster that is made here runs no Pod at all; None where it runs Pods.

    Args:
        asked: whether the stack asks for simulated nodes, or its cluster has them already.
    """
    if asked:
        return "the cluster's nodes are simulated"
    return None if can_be_real() else "real Pods need root"


def check(layout: Layout, *, simulated: bool) -> None:
    """Raise on the first thing that is missing.

    Raises:
        MissingError: another system than Linux, programs, file systems or controllers missing.
        OperationFailed: the disk is (nearly) full.
    """
    if sys.platform != "linux":
        raise MissingError(
            f"the embedded cluster runs on Linux only, this is {sys.platform}",
            hint="set cluster.kubeconfig in the stack's file to use a cluster of your own",
        )
    room(layout.folder)
    if simulated:
        return
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            raise MissingError(
                f"the program `{program}` is not installed",
                hint=f"install {package}; {SIMULATE}",
            )
    _cgroups()
    _overlay(layout.folder)


def room(folder: Path, needed: int = NEEDED_ROOM) -> None:
    """Raise OperationFailed when the disk of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(_existing(folder)).free
    if free < needed:
        raise OperationFailed(
            f"the disk is full: {free >> 20} MiB free, {needed >> 20} MiB are needed",
            where=str(folder),
            hint=f"free some space, or set {contract.DATA_VARIABLE} to a folder on another disk",
        )


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _cgroups() -> None:
    found = cgroups.hierarchies()
    if cgroups.unified_only(found) and found:
        there = (found[0].path / "cgroup.controllers").read_text(encoding="ascii").split()
    else:
        there = [option for hierarchy in found for option in hierarchy.options]
    lacking = [name for name in ("cpu", "memory", "pids") if name not in there]
    if lacking:
        raise MissingError(
            f"cgroup controllers are missing: {', '.join(lacking)}",
            where="/sys/fs/cgroup",
            hint=f"enable them (kernel command line, or the container's settings); {SIMULATE}",
        )


def _overlay(folder: Path) -> None:
    kinds = Path("/proc/filesystems").read_text(encoding="ascii").split()
    if "overlay" not in kinds and not _loadable("overlay"):
        raise MissingError(
            "the kernel has no overlayfs", hint=f"load the kernel module overlay; {SIMULATE}"
        )
    if mounts.kind_of(_existing(folder)) == "overlay":
        raise MissingError(
            "containers cannot keep their files on overlayfs",
            where=str(folder),
            hint=f"set {contract.DATA_VARIABLE} to a folder on a disk of its own"
            " (ext4, xfs, btrfs)",
        )


def _loadable(module: str) -> bool:
    folder = Path("/lib/modules") / os.uname().release
    return any(folder.glob(f"kernel/fs/**/{module}.ko*")) if folder.is_dir() else False


def scratch_is_writable(folder: Path) -> None:
    """Raise OperationFailed where nothing can be written to `folder` (read-only, quota)."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)) as probe:
            probe.write(b"\0" * 4096)
    except OSError as error:
        raise OperationFailed(
            f"nothing can be written: {error.strerror}",
            where=str(folder),
            hint=f"set {contract.DATA_VARIABLE} to a folder that this user may write",
        ) from error
