"""Experiments and the model registry, spoken to as MLflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mlops_infra.lifecycle.registry.example_model import Trained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Record:
    """What one run must be able to tell later."""

    experiment: str
    pipeline_run: str
    trained: Trained
    data_name: str
    data_fingerprint: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """A run as the tracking server knows it."""

    run_id: str
    experiment_id: str


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A model that a run has saved, not yet registered."""

    run_id: str
    model_id: str
    """For example `m-0a1b`."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model."""

    name: str
    version: str

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.name}/{self.version}"


class Tracking(Protocol):
    """The part of a tracking server that the loop needs; all raise `OperationFailed` alone."""

    def reach(self) -> str:
        """Ask for one real answer of the API; return where it is."""

    def prepare(self) -> str:
        """Load what the calls below need, however long that takes; return what it is."""

    def log(self, record: Record) -> LoggedRun:
        """Write parameters, metrics and the data's fingerprint of one run."""

    def save_model(self, run: LoggedRun, trained: Trained) -> SavedModel:
        """Save the run's model, which sends its files through the object store."""

    def register(self, model: SavedModel, name: str) -> ModelVersion:
        """Make the saved model a new version of the registered model `name`."""

    def recorded(self, run: LoggedRun) -> dict[str, Any]:
        """What the server tells of the run: params, metrics and tags in one mapping each."""

    def probabilities(
        self, version: ModelVersion, rows: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Load the version through the server and ask it about `rows`."""

    def remove(
        self, run: LoggedRun, model: SavedModel | None, version: ModelVersion | None
    ) -> None:
        """Take away the version, the model's files, the run, and what is empty after that."""
