"""Stack `core`, brought up once for this folder and taken away to nothing at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, running


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with running(Platform(tmp_path_factory.mktemp("platform"))) as found:
        yield found


@pytest.fixture
def shipped(platform: Platform) -> Platform:
    """The platform as its example file describes it."""
    platform.as_shipped()
    return platform
