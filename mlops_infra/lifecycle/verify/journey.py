"""The steps of one journey around the loop, and what they hand on to each other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mlops_infra import __version__
from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.lifecycle.data import example
from mlops_infra.lifecycle.lineage.index import Lineage, Pair
from mlops_infra.lifecycle.registry import example_model
from mlops_infra.lifecycle.registry.tracking import (
    LoggedRun,
    ModelVersion,
    Record,
    SavedModel,
    Tracking,
)
from mlops_infra.lifecycle.services.object_store import ObjectStore
from mlops_infra.lifecycle.verify.checks import Skipped

_T = TypeVar("_T")
EXPERIMENT = "mlops-infra-verify"
MODEL = "mlops-infra-verify"
FINGERPRINT_TAG = "mlops-infra.data.sha256"
PIPELINE_TAG = "mlops-infra.pipeline_run"
OBJECT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Services:
    """What the journey talks to; None where the platform does not offer it."""

    tracking: Tracking
    lineage: Lineage | None
    lineage_reach: Callable[[], str] | None
    objects: ObjectStore | None


class Journey:
    """One run of the loop; each method is one step and returns what a person wants to know."""

    def __init__(self, services: Services, *, pipeline_run: str) -> None:
        self._services = services
        self.pipeline_run = pipeline_run
        self.run: LoggedRun | None = None
        self.model: SavedModel | None = None
        self.version: ModelVersion | None = None
        self._data: example.Dataset | None = None
        self._trained: example_model.Trained | None = None
        self._linked: Pair | None = None
        self._object_key: str | None = None

    def reach(self) -> str:
        """Ask every service for a sign of life; all dead ones are named at once."""
        asked: list[Callable[[], str]] = [self._services.tracking.reach]
        if self._services.lineage_reach is not None:
            asked.append(self._services.lineage_reach)
        if self._services.objects is not None:
            asked.append(self._services.objects.reach)
        alive: list[str] = []
        dead: list[MlopsError] = []
        for ask in asked:
            try:
                alive.append(ask())
            except MlopsError as error:
                dead.append(error)
        if dead:
            raise OperationFailed(
                "; ".join(error.what for error in dead),
                where=", ".join(error.where or "?" for error in dead),
                hint=dead[0].hint,
            )
        return ", ".join(alive)

    def prepare(self) -> str:
        """Load the libraries, so that no other step is charged with their time."""
        import sklearn.linear_model

        return f"{self._services.tracking.prepare()}, scikit-learn {sklearn.__version__}"

    def make_data(self) -> str:
        """Load the data set that ships with scikit-learn."""
        self._data = example.wine()
        rows, columns = self._data.features.shape
        digest = example.fingerprint(self._data)
        return f"{self._data.name}: {rows} rows, {columns} columns, sha256 {digest[:12]}"

    def train(self) -> str:
        """Fit the model."""
        self._trained = example_model.train(_there(self._data))
        return ", ".join(f"{k} {v:.3f}" for k, v in self._trained.metrics.items())

    def log(self) -> str:
        """Write the run."""
        data = _there(self._data)
        digest = example.fingerprint(data)
        tags = {
            PIPELINE_TAG: self.pipeline_run,
            FINGERPRINT_TAG: digest,
            "mlops-infra.version": __version__,
        }
        self.run = self._services.tracking.log(
            Record(EXPERIMENT, self.pipeline_run, _there(self._trained), data.name, digest, tags)
        )
        return f"run {self.run.run_id}"

    def read_back(self) -> str:
        """Compare what the server tells of the run with what was written."""
        told = self._services.tracking.recorded(_there(self.run))
        trained = _there(self._trained)
        expected: dict[str, Mapping[str, object]] = {
            "params": {key: str(value) for key, value in trained.parameters.items()},
            "metrics": trained.metrics,
            "tags": {
                PIPELINE_TAG: self.pipeline_run,
                FINGERPRINT_TAG: example.fingerprint(_there(self._data)),
            },
        }
        for part, values in expected.items():
            for key, value in values.items():
                if told[part].get(key) != value:
                    raise OperationFailed(
                        f"{part} {key} came back as {told[part].get(key)!r}, not {value!r}"
                    )
        return "parameters, metrics and data fingerprint are as written"

    def save_model(self) -> str:
        """Send the model to the tracking server, and through it to the object store."""
        run, trained = _there(self.run), _there(self._trained)
        self.model = self._services.tracking.save_model(run, trained)
        return f"model {self.model.model_id}"

    def register(self) -> str:
        """Make a version of the registered model."""
        self.version = self._services.tracking.register(_there(self.model), MODEL)
        return self.version.uri

    def predict(self) -> str:
        """Load the registered model and compare its answers bit by bit."""
        import numpy as np

        trained = _there(self._trained)
        answers = self._services.tracking.probabilities(_there(self.version), trained.unseen)
        if not np.array_equal(answers, trained.probabilities):
            raise OperationFailed("the model that came back predicts other numbers")
        return f"{answers.size} numbers equal"

    def link(self) -> str | Skipped:
        """Store the pair of runs and find each from the other."""
        lineage = self._services.lineage
        if lineage is None:
            return Skipped("the platform has no key-value store")
        pair = Pair(pipeline_run=self.pipeline_run, tracking_run=_there(self.run).run_id)
        lineage.link(pair)
        self._linked = pair
        if lineage.by_pipeline_run(pair.pipeline_run) != pair:
            raise OperationFailed("the pipeline's run does not lead to the tracking run")
        if lineage.by_tracking_run(pair.tracking_run) != pair:
            raise OperationFailed("the tracking run does not lead to the pipeline's run")
        return f"{pair.pipeline_run} <-> {pair.tracking_run}"

    def round_trip(self) -> str | Skipped:
        """Put an object, get it, delete it."""
        store = self._services.objects
        if store is None:
            return Skipped("the platform exposes no object store")
        body = secrets.token_bytes(OBJECT_BYTES)
        self._object_key = f"mlops-infra-verify/{self.pipeline_run}"
        store.put(self._object_key, body)
        if store.get(self._object_key) != body:
            raise OperationFailed("the object came back changed")
        store.delete(self._object_key)
        if store.exists(self._object_key):
            raise OperationFailed("the object is still listed after its deletion")
        self._object_key = None
        return f"{OBJECT_BYTES >> 20} MiB there and back, deleted"

    def clean(self) -> str | Skipped:
        """Take away all that this journey made."""
        removed: list[str] = []
        if self._services.lineage is not None and self._linked is not None:
            self._services.lineage.forget(self._linked)
            removed.append("the pair of runs")
        if self._services.objects is not None and self._object_key is not None:
            self._services.objects.delete(self._object_key)
            removed.append("the object")
        if self.run is not None:
            self._services.tracking.remove(self.run, self.model, self.version)
            removed.append("the run, its model and its files")
        return f"removed {', '.join(removed)}" if removed else Skipped("nothing was made")


def _there(value: _T | None) -> _T:
    if value is None:
        raise AssertionError("a step ran before the one it needs")
    return value
