"""A `tracking.Tracking` over the MLflow client.

The client is configured by environment variables that it reads when it is imported and later, so
they are set before, for this process alone.
"""

from __future__ import annotations

import base64
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.registry.example_model import Trained
from mlops_infra.lifecycle.registry.tracking import LoggedRun, ModelVersion, Record, SavedModel
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.reachability import answering

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CHEAP_QUESTION = "/api/2.0/mlflow/registered-models/search?max_results=1"
_DIGEST_LENGTH = 36
"""The longest digest that MLflow takes for a data set; the whole fingerprint is a tag."""
_CLIENT = {
    # The server would send us to the store's name inside of the cluster, and we would hang on it.
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "GIT_PYTHON_REFRESH": "quiet",
}
_MODEL_FILE = "model.skops"
"""As MLflow names it in the format skops."""
_FOREIGN = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
"""What a shell may hold from other work; it would send our run elsewhere."""


class MlflowTracking:
    """Speaks to one MLflow server, which also holds the registry."""

    def __init__(self, tracking_uri: str, registry_uri: str, login: Login | None) -> None:
        self._uri = tracking_uri
        self._registry_uri = registry_uri
        self._login = login

    def reach(self) -> str:
        """Ask for one real answer of the API, not of `/health` alone: it skips the host check."""
        headers = {}
        if self._login is not None:
            word = f"{self._login.name}:{self._login.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(word).decode()}"
        status = answering("MLflow", f"{self._uri}{_CHEAP_QUESTION}", headers=headers)
        if status != HTTPStatus.OK:
            raise OperationFailed(
                f"MLflow answers with HTTP {status}", where=self._uri, hint=hint_of(str(status))
            )
        return f"MLflow at {self._uri}"

    def prepare(self) -> str:
        """Import the client, which takes seconds, and tell its version."""
        with self._translate_errors("load"):
            return f"MLflow client {self._mlflow.__version__}"

    def log(self, record: Record) -> LoggedRun:
        """Write parameters, metrics and the data's fingerprint of one run."""
        mlflow = self._mlflow
        with self._translate_errors("take the run"):
            experiment = self._experiment(record.experiment)
            with mlflow.start_run(
                experiment_id=experiment, run_name=record.pipeline_run, tags=record.tags
            ) as run:
                mlflow.log_params(record.trained.parameters)
                mlflow.log_metrics(record.trained.metrics)
                mlflow.log_input(_data(mlflow, record), context="training")
        return LoggedRun(run.info.run_id, experiment)

    def save_model(self, run: LoggedRun, trained: Trained) -> SavedModel:
        """Save the run's model, which sends its files through the object store."""
        mlflow = self._mlflow
        with self._translate_errors("take the model"), mlflow.start_run(run_id=run.run_id):
            saved = mlflow.sklearn.log_model(
                trained.model,
                name="model",
                signature=mlflow.models.infer_signature(trained.unseen, trained.probabilities),
                serialization_format="skops",
                # Named here, or MLflow finds them out by running the model in a child process.
                pip_requirements=_requirements(),
            )
        return SavedModel(run.run_id, saved.model_id)

    def register(self, model: SavedModel, name: str) -> ModelVersion:
        """Make the saved model a new version of the registered model `name`."""
        client = self._client
        with self._translate_errors("register the model"):
            if not client.search_registered_models(f"name='{name}'", max_results=1):
                client.create_registered_model(name)
            made = client.create_model_version(
                name,
                f"models:/{model.model_id}",
                run_id=model.run_id,
                model_id=model.model_id,
                await_creation_for=0,
            )
        return ModelVersion(name, str(made.version))

    def recorded(self, run: LoggedRun) -> dict[str, Any]:
        """What the server tells of the run: params, metrics and tags in one mapping each."""
        with self._translate_errors("tell of the run"):
            data = self._client.get_run(run.run_id).data
        return {"params": data.params, "metrics": data.metrics, "tags": data.tags}

    def probabilities(
        self, version: ModelVersion, rows: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Load the version through the server and ask it about `rows`.

        MLflow's own loader executes what a model's files ask for, and others may write to the same
        server: here skops reads the one file, which makes nothing but scikit-learn's own types.
        """
        from skops.io import load
        from skops.io.exceptions import UntrustedTypesFoundException

        with self._translate_errors("give the model back"), TemporaryDirectory() as folder:
            kept = self._mlflow.artifacts.download_artifacts(version.uri, dst_path=folder)
            try:
                model = load(Path(kept, _MODEL_FILE))
            except UntrustedTypesFoundException as error:
                raise OperationFailed(
                    f"the model that came back is another one: {error}", where=version.uri
                ) from error
        answer: NDArray[np.float64] = model.predict_proba(rows)
        return answer

    def remove(
        self, run: LoggedRun, model: SavedModel | None, version: ModelVersion | None
    ) -> None:
        """Take away the version, the model's files, the run, and what is empty after that."""
        client = self._client
        with self._translate_errors("remove what was made"):
            if version is not None:
                client.delete_model_version(version.name, version.version)
                if not client.search_model_versions(f"name='{version.name}'", max_results=1):
                    client.delete_registered_model(version.name)
            if model is not None:
                _delete_files(client.get_logged_model(model.model_id).artifact_location)
                client.delete_logged_model(model.model_id)
            client.delete_run(run.run_id)
            if not client.search_runs([run.experiment_id], max_results=1):
                client.delete_experiment(run.experiment_id)

    @cached_property
    def _mlflow(self) -> Any:
        """The library: imported late, as it takes seconds, and after its settings are made."""
        os.environ.update(_CLIENT)
        for name in _FOREIGN:
            os.environ.pop(name, None)
        if self._login is not None:
            os.environ["MLFLOW_TRACKING_USERNAME"] = self._login.name
            os.environ["MLFLOW_TRACKING_PASSWORD"] = self._login.password
        import mlflow
        import mlflow.sklearn

        mlflow.set_tracking_uri(self._uri)
        mlflow.set_registry_uri(self._registry_uri)
        return mlflow

    @cached_property
    def _client(self) -> Any:
        return self._mlflow.MlflowClient(self._uri, self._registry_uri)

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return str(self._client.create_experiment(name))
        if found.lifecycle_stage == "deleted":
            # A deleted experiment keeps its name for ever: wake it up.
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    @contextmanager
    def _translate_errors(self, what: str) -> Iterator[None]:
        with warnings.catch_warnings():
            # MLflow warns of its own code (type hints, deprecations): nothing to act on here.
            warnings.simplefilter("ignore")
            import requests
            from botocore.exceptions import BotoCoreError
            from mlflow.exceptions import MlflowException

            try:
                yield
            # botocore's: somebody registered a version whose files the server does not keep
            except (MlflowException, requests.RequestException, BotoCoreError, OSError) as error:
                raise OperationFailed(
                    f"MLflow did not {what}: {str(error).partition(chr(10))[0]}",
                    where=self._uri,
                    hint=hint_of(str(error)),
                ) from error


def hint_of(error: str) -> str:
    """What to do about an error that names a status of HTTP."""
    if "403" in error or "Invalid Host header" in error:
        return "MLflow refuses this host name: add it to components.mlflow.settings.allowedHosts"
    if "401" in error:
        return "MLflow requires a login: check Secret mlflow/mlflow-auth"
    if "locate credentials" in error:
        return "its files are where MLflow does not keep them: register it from a run, or delete it"
    return "mlops-infra status shows its Pod"


def _delete_files(location: str) -> None:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(location).delete_artifacts()


def _data(mlflow: Any, record: Record) -> Any:
    from mlflow.data.code_dataset_source import CodeDatasetSource

    return mlflow.data.from_numpy(
        record.trained.unseen,
        source=CodeDatasetSource(tags={}),
        name=record.data_name,
        digest=record.data_fingerprint[:_DIGEST_LENGTH],
    )


def _requirements() -> list[str]:
    from importlib.metadata import version

    names = ("mlflow-skinny", "numpy", "scikit-learn", "skops")
    return [f"{name}=={version(name)}" for name in names]
