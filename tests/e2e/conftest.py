"""Two lanes: the sandbox in one process, all the rest, file by file, in the other.

One `core` and one `sandbox` are brought up, each for all tests that need it, and each is taken away
to nothing after the last of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]

FOLDER = Path(__file__).parent
FIRST = ("test_sandbox", "core")
"""The longest begin first."""
LAST = "test_teardown"
"""Of the files that share a platform."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the group of each test: its file, or its folder where files share a platform."""
    ours = [item for item in items if FOLDER in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    ours.sort(key=_rank)
    items[:] = [item for item in items if FOLDER not in item.path.parents] + ours


def _group(item: pytest.Item) -> str:
    return item.path.relative_to(FOLDER).parts[0].removesuffix(".py")


def _rank(item: pytest.Item) -> tuple[int, str, bool]:
    group = _group(item)
    place = FIRST.index(group) if group in FIRST else len(FIRST)
    return place, group, item.path.stem == LAST
