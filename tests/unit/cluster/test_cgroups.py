from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.cluster.node import cgroups

HYBRID = """tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,release_agent=/lib/x,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime,nsdelegate 0 0
"""
UNIFIED = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate 0 0\n"


def test_a_hybrid_machine_has_one_hierarchy_a_mount() -> None:
    found = {h.path.name: h for h in cgroups.hierarchies(HYBRID)}
    assert found["cpu,cpuacct"].options == ("cpu", "cpuacct")
    assert found["systemd"].options == ("none", "name=systemd")
    assert found["unified"].version == 2
    assert not cgroups.unified_only(tuple(found.values()))


def test_a_v2_machine_has_one() -> None:
    (found,) = cgroups.hierarchies(UNIFIED)
    assert (found.path, found.version) == (Path("/sys/fs/cgroup"), 2)
    assert cgroups.unified_only((found,))


def test_processes_move_to_a_leaf_before_controllers_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("1\n7\n")
    (tmp_path / "cgroup.controllers").write_text("cpu memory rdma\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    cgroups.settle(tmp_path)
    assert (tmp_path / cgroups.LEAF / "cgroup.procs").read_text() == "7"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"


def test_a_group_that_goes_meanwhile_does_not_stop_the_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = (cgroups.Hierarchy(tmp_path, 2, ()),)
    monkeypatch.setattr(cgroups, "hierarchies", lambda: found)
    gone = tmp_path / "one" / "kubepods" / "pod1"
    gone.mkdir(parents=True)
    (tmp_path / "one" / "cgroup.procs").write_text("1\n7\n")
    listed = os.scandir

    def scandir(folder: Any) -> Any:
        if Path(folder) == gone and gone.exists():
            gone.rmdir()  # the Pod ended between the list of groups and the look into its own
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert cgroups.members("one") == {1, 7}
    assert not gone.exists()
