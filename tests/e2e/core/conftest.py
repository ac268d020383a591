"""Stack `core`, brought up once for this folder and taken away to nothing at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, taken_down

HALF = 20
"""Resources of about 44, stores among them."""


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Brought up the hard way: the first `up` is killed half way, the next one goes on."""
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with taken_down(Platform(tmp_path_factory.mktemp("platform"))) as found:
        found.kill("Deploying", HALF, "up", "-s", found.stack)
        found.up()
        yield found


@pytest.fixture
def shipped(platform: Platform) -> Platform:
    """The platform as its example file describes it."""
    platform.as_shipped()
    return platform
