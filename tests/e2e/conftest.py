"""Two lanes: the sandbox in one process, all the rest, file by file, in the other.

One `core` and one `sandbox` are brought up, each for all tests that need it, and each is taken away
to nothing after the last of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]

FOLDER = Path(__file__).parent
FIRST = ("test_sandbox.py", "core")
"""The longest begin first."""
LAST = "test_teardown"
"""Of the files that share a platform."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order them as they are to begin."""
    ours = sorted((item for item in items if FOLDER in item.path.parents), key=_rank)
    items[:] = [item for item in items if FOLDER not in item.path.parents] + ours


def _rank(item: pytest.Item) -> tuple[int, str, bool]:
    group = item.path.relative_to(FOLDER).parts[0]
    place = FIRST.index(group) if group in FIRST else len(FIRST)
    return place, group, item.path.stem == LAST


class Lanes(LoadScopeScheduling):
    """Keeps a file in one process, or a folder whose files share a platform.

    (xdist's own `--dist loadgroup` has no effect with pytest 9.2.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("e2e/")[2].partition("/")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Lanes:
    """Whatever `--dist` says: no other way of spreading keeps a platform in one process."""
    return Lanes(config, log)
