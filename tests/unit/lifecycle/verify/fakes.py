"""Fakes of the three services of the platform: memory, no network, and faults on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.lineage.index import Lineage
from mlops_infra.lifecycle.registry.example_model import Trained
from mlops_infra.lifecycle.registry.tracking import LoggedRun, ModelVersion, Record, SavedModel
from mlops_infra.lifecycle.verify.journey import Services


class FakeKeyValue:
    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def ping(self) -> str:
        return "fake store"

    def get_many(self, keys: Sequence[str]) -> list[str | None]:
        return [self.held.get(key) for key in keys]

    def set_all_if_absent(self, values: Mapping[str, str]) -> bool:
        if any(key in self.held for key in values):
            return False
        self.held.update(values)
        return True

    def delete(self, keys: Sequence[str]) -> int:
        return sum(self.held.pop(key, None) is not None for key in keys)


class FakeObjects:
    def __init__(self, *, corrupts: bool = False) -> None:
        self.held: dict[str, bytes] = {}
        self.corrupts = corrupts

    def reach(self) -> str:
        return "fake bucket"

    def put(self, key: str, body: bytes) -> None:
        self.held[key] = body[1:] if self.corrupts else body

    def get(self, key: str) -> bytes:
        return self.held[key]

    def delete(self, key: str) -> None:
        self.held.pop(key, None)

    def exists(self, key: str) -> bool:
        return key in self.held


class FakeTracking:
    def __init__(self, *, dead: bool = False, drifts: bool = False, full: bool = False) -> None:
        self.dead, self.drifts, self.full = dead, drifts, full
        self.models: dict[str, Trained] = {}
        self.records: dict[str, Record] = {}
        self.versions: dict[str, str] = {}

    def reach(self) -> str:
        if self.dead:
            raise OperationFailed(
                "fake MLflow cannot be reached", where="nowhere:1", hint="start it"
            )
        return "fake MLflow"

    def prepare(self) -> str:
        return "fake client"

    def log(self, record: Record) -> LoggedRun:
        self.records["run1"] = record
        return LoggedRun("run1", "0")

    def save_model(self, run: LoggedRun, trained: Trained) -> SavedModel:
        if self.full:
            raise OperationFailed("fake MLflow did not take the model: no space left")
        self.models[run.run_id] = trained
        return SavedModel(run.run_id, "m-1")

    def register(self, model: SavedModel, name: str) -> ModelVersion:
        self.versions["1"] = model.run_id
        return ModelVersion(name, "1")

    def recorded(self, run: LoggedRun) -> dict[str, Any]:
        record = self.records[run.run_id]
        params = {key: str(value) for key, value in record.trained.parameters.items()}
        return {"params": params, "metrics": record.trained.metrics, "tags": record.tags}

    def probabilities(self, version: ModelVersion, rows: Any) -> Any:
        answer = self.models[self.versions[version.version]].model.predict_proba(rows)
        return answer + 1e-12 if self.drifts else answer

    def remove(
        self, run: LoggedRun, model: SavedModel | None, version: ModelVersion | None
    ) -> None:
        del self.records[run.run_id]
        if model is not None:
            del self.models[run.run_id]
        if version is not None:
            del self.versions[version.version]


def services(
    tracking: FakeTracking, store: FakeKeyValue | None = None, objects: FakeObjects | None = None
) -> Services:
    return Services(
        tracking=tracking,
        lineage=Lineage(store) if store else None,
        lineage_reach=store.ping if store else None,
        objects=objects,
    )
