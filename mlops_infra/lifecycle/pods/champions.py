"""What jobs need of the model that serves: its version, its files, its answers, its metrics.

`scorer` and `predict` load a model, which is code of its tenant: they are for Pods of the tenant.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.registry.metric_names import encoded
from mlops_infra.lifecycle.registry.versions import CHAMPION, MlflowModels, Registered
from mlops_infra.lifecycle.triggers.signals import Reading
from mlops_infra.lifecycle.validation import TableSchema
from mlops_infra.lifecycle.validation.schema import from_json

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "pipeline"
"""Folder of a run's artefacts that the step `register` writes."""


class MlflowChampions(MlflowModels):
    """Champions in the MLflow registry; a `drift.reference.Versions`."""

    def champion(self, model: str) -> str:
        """The version that serves.

        Raises:
            InputError: no version is champion.
            OperationFailed: MLflow does not answer.
        """
        found = self.alias(model, CHAMPION)
        if found is None:
            raise InputError(
                f"no version of {model} is champion",
                hint=f"promote one: mlops-infra promote -s STACK -t TENANT {model}/VERSION",
            )
        return found

    def files(self, model: str, version: str) -> tuple[dict[str, bytes], str, str]:
        """Small files of the version's run, the name of its label, the fingerprint of its data."""
        with self._translate_errors(f"give the files of {model}/{version}"):
            found = self._client.get_model_version(model, version)
            run = self._client.get_run(found.run_id)
            with tempfile.TemporaryDirectory() as folder:
                self._mlflow.artifacts.download_artifacts(
                    artifact_uri=f"runs:/{found.run_id}/{FOLDER}", dst_path=folder
                )
                held = {f.name: f.read_bytes() for f in Path(folder, FOLDER).iterdir()}
        target = run.data.params.get("target", "target")
        return held, target, run.data.tags.get("mlops-infra.data.sha256", "")

    def schema(self, model: str) -> TableSchema | None:
        """Rules of the champion's inputs; None where its run kept none."""
        files, target, _ = self.files(model, self.champion(model))
        held = files.get("schema.json")
        return from_json(held.decode(), f"{model}: schema.json").without(target) if held else None

    def reading(self, model: str, metric: str) -> Reading | None:
        """The metric's latest value on the champion's run, beside its first, that of training.

        Whoever evaluates the champion again logs the value to its run, one step on.
        """
        version = self.champion(model)
        with self._translate_errors(f"tell metric {metric} of {model}/{version}"):
            run = self._client.get_model_version(model, version).run_id
            history = sorted(
                self._client.get_metric_history(run, encoded(metric)),
                key=lambda m: (m.step, m.timestamp),
            )
        if not history:
            return None
        last = history[-1]
        return Reading(last.value, f"{run}:{last.step}:{last.timestamp}", history[0].value)

    def scorer(self, model: str, version: str | None = None) -> LoadedModel:
        """A version ready to score; the champion where none is named."""
        chosen = f"{model}/{version or self.champion(model)}"
        return LoadedModel(chosen, self._load(chosen))

    def predict(self, registered: Registered, rows: Any) -> Any:
        """Load a version into this process and ask it."""
        return self._load(registered.id).predict(rows)

    def _load(self, version: str) -> Any:
        with self._translate_errors(f"give {version}"):
            return self._mlflow.pyfunc.load_model(f"models:/{version}")


class LoadedModel:
    """A version in this process; a `batch.Scorer`."""

    def __init__(self, version: str, model: Any) -> None:
        self.version = version
        self._model = model
        signature = model.metadata.get_input_schema()
        self._names = signature.input_names() if signature is not None else []

    def score(self, rows: pd.DataFrame) -> Sequence[Any]:
        """One answer for each row; columns that the model does not know are left out."""
        import numpy as np
        from mlflow.exceptions import MlflowException

        known = [name for name in self._names if name in rows.columns]
        try:
            answers = self._model.predict(rows[known] if known else rows)
        except MlflowException as error:
            raise InputError(
                f"{self.version} refuses the rows: {str(error).partition(chr(10))[0]}",
                hint="compare columns and types with the model's signature",
            ) from error
        found: Sequence[Any] = np.asarray(answers).tolist()
        return found


class BatchChampion:
    """The champion of one model, as a batch job asks for it."""

    def __init__(self, champions: MlflowChampions, model: str) -> None:
        self._champions = champions
        self._model = model

    def current(self) -> LoadedModel:
        """The champion of now."""
        return self._champions.scorer(self._model)

    def version(self, version: str) -> LoadedModel:
        """A certain one, given as `name/version`."""
        return self._champions.scorer(self._model, version.rpartition("/")[2])
