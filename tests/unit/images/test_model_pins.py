"""What writes a model and what reads it are the same versions."""

from __future__ import annotations

import pytest

from mlops_infra import toolchain
from mlops_infra.catalog import load_catalog
from mlops_infra.images import locks

WRITERS = ("runtime",)
READER = "mlserver"
MODEL_LIBRARIES = (
    "cloudpickle",
    "mlflow-skinny",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "skops",
)


@pytest.mark.parametrize("library", MODEL_LIBRARIES)
def test_a_server_reads_a_model_with_the_library_that_wrote_it(library: str) -> None:
    versions = {name: _pins(name)[library] for name in (*WRITERS, READER)}
    assert len(set(versions.values())) == 1, versions


def test_the_tracking_server_is_of_the_clients_version() -> None:
    assert _pins("mlflow")["mlflow"] == _pins(READER)["mlflow-skinny"]


def _pins(image: str) -> dict[str, str]:
    return {wheel.name: wheel.version for wheel in locks.wheels(image)}


def test_kserves_parts_are_of_one_version() -> None:
    version = load_catalog()["kserve"].version
    assert _pins("kserve-storage")["kserve-storage"] == version
    assert toolchain.version("kserve-manager") == f"v{version}"
