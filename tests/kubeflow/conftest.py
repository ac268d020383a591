"""A small platform with Trainer and Katib, brought up once and taken away to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.platform import Platform, taken_down
from tests.machine import pytest_sessionfinish, pytest_sessionstart

__all__ = ["pytest_sessionfinish", "pytest_sessionstart"]

QUOTA = {"cpu": "6", "memory": "8Gi", "storage": "10Gi", "pods": 40}


@pytest.fixture(scope="session")
def training(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The stack `core` with both, and two tenants who do not know each other."""
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with taken_down(Platform(tmp_path_factory.mktemp("training"))) as found:
        found.configure(
            components={name: {"state": "managed"} for name in ("trainer", "katib")},
            tenants={
                "demo": {"owner": "lee", "quota": dict(QUOTA)},
                "other": {"owner": "kim", "quota": {"cpu": "1", "memory": "1Gi", "pods": 10}},
            },
        )
        found.up()
        yield found
