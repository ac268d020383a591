"""What clusters under test left on this machine.

Tests run beside each other, and other clusters may live here, so a single cluster is judged by what
bears its mark. Where nobody else has a cluster, the whole machine is compared once more, when the
last test has ended.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import footprint

_BEFORE = pytest.StashKey[footprint.Footprint]()


def left_behind(before: footprint.Footprint, data: Path, *clusters: str) -> list[str]:
    """What this machine has now and had not `before`, by clusters that keep their data in `data`.

    All of it, where no other cluster lives here; else what bears a mark of these clusters.
    """
    after = footprint.snapshot([data])
    found = list(footprint.difference(before, after))
    if not before.cgroups and not after.cgroups:
        return found
    marks = {str(data)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_INFRA_DATA", str(data))
        for name in clusters:
            layout = Layout.of(name)
            marks |= {layout.link, layout.cgroup}
    return [line for line in found if any(mark in line for mark in marks)]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Look at the machine before the first test."""
    if os.geteuid() == 0 and not _is_worker(session.config):
        session.config.stash[_BEFORE] = footprint.snapshot([])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if anything is left, unless others have clusters here."""
    before = session.config.stash.get(_BEFORE, None)
    if before is None:
        return
    after = footprint.snapshot([])
    if not before.cgroups and not after.cgroups:
        _require_nothing(footprint.difference(before, after))


def _require_nothing(left: Iterable[str]) -> None:
    if lines := "\n".join(left):
        pytest.exit(f"left on this machine:\n{lines}", returncode=pytest.ExitCode.TESTS_FAILED)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
