"""Stack `core`, brought up once for the tests of this tier and taken away to nothing at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, left_behind, told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Others first: the platform lives until the session ends, and two clusters halve the speed."""
    items.sort(key=lambda item: "platform" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    from mlops_infra.cluster.node import footprint

    folder = tmp_path_factory.mktemp("platform")
    found = Platform(folder)
    before = footprint.snapshot([found.data])
    try:
        found.up()
        yield found
    finally:
        down = found.run("down", "-s", found.stack, "--purge")
    assert down.returncode == 0, told(down)
    assert left_behind(before, found) == []
    assert found.processes() == []
    assert not found.data.exists()
