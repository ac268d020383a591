"""Writes a pipeline's run into MLflow once: parameters, metrics, model, version.

A step may be tried again after it was killed anywhere. So the run is found again by the pipeline's
run id, what it already holds is kept, and a version that came of it is returned instead of a second
one.
"""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data.table import Table
from mlops_infra.lifecycle.registry.metric_names import encoded
from mlops_infra.lifecycle.registry.mlflow_tracking import MlflowTracking

if TYPE_CHECKING:
    import pandas as pd

PIPELINE_TAG = "mlops-infra.pipeline_run"
FINGERPRINT_TAG = "mlops-infra.data.sha256"
MODEL_PACKAGES = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops")
"""What a server needs to load the model; pinned in its requirements as they are here."""
EXAMPLE_ROWS = 5
_DIGEST_LENGTH = 36
_LONGEST_VALUE = 6000
"""Letters of a parameter that MLflow takes."""


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a trained model went; the JSON that the steps after `register` read."""

    run_id: str
    experiment: str
    model: str | None = None
    """Name in the registry; None where the run made no model."""
    version: str | None = None
    model_id: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: str | None = None
    """SHA-256 of the data."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Making:
    """All that is to be kept of one run."""

    experiment: str
    pipeline_run: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Small files kept beside the run, by name."""
    data: Table | None = None
    data_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model, rows to describe its input by, and the types that skops must trust."""

    name: str
    estimator: Any
    rows: pd.DataFrame | None
    """None where nobody knows them; then the model has no signature."""
    trusted: tuple[str, ...] = ()
    version_tags: Mapping[str, str] = field(default_factory=dict)


class MlflowRegistry(MlflowTracking):
    """The part of MLflow that pipelines write to."""

    def record(self, making: Making, model: Model | None = None) -> Registration:
        """Write the run, and the model where there is one.

        Raises:
            OperationFailed: MLflow refuses or does not answer.
        """
        with self._translate_errors("take the run"):
            experiment = self._experiment(making.experiment)
            run_id = self._same_run(experiment, making.pipeline_run)
            run_id = self._write(experiment, run_id, making)
        kept = Registration(
            run_id=run_id,
            experiment=making.experiment,
            metrics=dict(making.metrics),
            data=making.data_sha256,
        )
        if model is not None:
            kept = self._register(kept, model)
        with self._translate_errors("close the run"):
            self._client.set_terminated(run_id, "FINISHED")
        return kept

    def _same_run(self, experiment: str, pipeline_run: str) -> str | None:
        found = self._client.search_runs(
            [experiment], f"tags.`{PIPELINE_TAG}` = '{pipeline_run}'", max_results=1
        )
        return str(found[0].info.run_id) if found else None

    def _write(self, experiment: str, run_id: str | None, making: Making) -> str:
        mlflow = self._mlflow
        tags = {**making.tags, PIPELINE_TAG: making.pipeline_run}
        if making.data_sha256:
            tags[FINGERPRINT_TAG] = making.data_sha256
        with mlflow.start_run(
            run_id=run_id,
            experiment_id=experiment,
            run_name=None if run_id else making.pipeline_run,
            tags=tags,
        ) as run:
            texts = {name: str(value)[:_LONGEST_VALUE] for name, value in making.parameters.items()}
            mlflow.log_params(texts)
            mlflow.log_metrics({encoded(n): value for n, value in making.metrics.items()})
            if making.data is not None and run_id is None:
                mlflow.log_input(_described(mlflow, making), context="training")
            self._files({**making.files, "environment.json": _environment()})
            return str(run.info.run_id)

    def _files(self, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, body in files.items():
                Path(folder, name).write_bytes(body)
            self._mlflow.log_artifacts(folder, "pipeline")

    def _register(self, kept: Registration, model: Model) -> Registration:
        made, model_id = self._version_of(kept.run_id, model.name), None
        if made is None:
            with self._translate_errors("take the model"):
                model_id = self._save(kept.run_id, model)
            with self._translate_errors("register the model"):
                made = self._create(kept.run_id, model_id, model)
        return Registration(
            **{
                **asdict(kept),
                "model": model.name,
                "version": str(made.version),
                # a server does not tell it of a version that it has just made
                "model_id": getattr(made, "model_id", None) or model_id,
            }
        )

    def _version_of(self, run_id: str, name: str) -> Any:
        with self._translate_errors("list the model's versions"):
            # the file store (of tests and laptops) filters by one of the two only
            found = self._client.search_model_versions(f"name='{name}'")
        return next((each for each in found if each.run_id == run_id), None)

    def _save(self, run_id: str, model: Model) -> str:
        mlflow = self._mlflow
        rows = model.rows
        signature = None
        if rows is not None:
            signature = mlflow.models.infer_signature(rows, _answers(model, rows))
        with mlflow.start_run(run_id=run_id):
            saved = mlflow.sklearn.log_model(
                model.estimator,
                name="model",
                signature=signature,
                input_example=_example(model),
                # Named here, or MLflow finds them out by running the model in a child process.
                pip_requirements=[f"{n}=={v}" for n in MODEL_PACKAGES if (v := _installed(n))],
                skops_trusted_types=list(model.trusted) or None,
            )
        return str(saved.model_id)

    def _create(self, run_id: str, model_id: str, model: Model) -> Any:
        client = self._client
        if not client.search_registered_models(f"name='{model.name}'", max_results=1):
            client.create_registered_model(model.name)
        return client.create_model_version(
            model.name,
            f"models:/{model_id}",
            run_id=run_id,
            model_id=model_id,
            tags=dict(model.version_tags),
            await_creation_for=0,
        )


def _example(model: Model) -> pd.DataFrame | None:
    """Rows to try a server of the model with; none where it does not predict."""
    if model.rows is None or not hasattr(model.estimator, "predict"):
        return None
    return model.rows.head(EXAMPLE_ROWS)


def _answers(model: Model, rows: pd.DataFrame) -> Any:
    """What the model makes of rows like those that it was fitted on.

    Raises:
        InputError: it makes nothing of them.
    """
    estimator = model.estimator
    answer = estimator.predict if hasattr(estimator, "predict") else estimator.transform
    try:
        return answer(rows)
    except Exception as error:  # the model is a person's: whatever it raises is about it
        raise InputError(
            f"model '{model.name}' cannot answer for the table that it is described by: "
            f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
            hint="return the rows that it is fitted on, prepared in a step before",
        ) from error


def _described(mlflow: Any, making: Making) -> Any:
    from mlflow.data.code_dataset_source import CodeDatasetSource

    table = making.data
    if table is None:
        raise AssertionError("the data to describe is missing")
    return mlflow.data.from_pandas(
        table.frame,
        source=CodeDatasetSource(tags={"mlops-infra.data": table.name}),
        targets=table.target,
        name=table.name.replace("://", "-").replace("/", "-"),
        digest=(making.data_sha256 or "")[:_DIGEST_LENGTH] or None,
    )


def _environment() -> bytes:
    """Python and the packages that decide about numbers, as the run had them."""
    packages = {name: found for name in MODEL_PACKAGES if (found := _installed(name))}
    told = {"python": platform.python_version(), "machine": platform.machine(), **packages}
    return json.dumps(told, indent=2, sort_keys=True).encode()


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
