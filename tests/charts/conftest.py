"""Skips the tier by name where helm can neither be found nor built."""

from __future__ import annotations

import pytest

from mlops_infra import toolchain
from mlops_infra.errors import MlopsError


@pytest.fixture(autouse=True, scope="session")
def helm_is_there() -> None:
    try:
        toolchain.ensure(["helm"], lambda _: None)
    except MlopsError as error:
        pytest.skip(f"no helm: {error.what}")
