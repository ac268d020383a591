"""A version whose files MLflow does not keep is refused before anything of it is read."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.registry.files_of_version import refuse_foreign


@dataclass
class FakeMlflow:
    """A fake of MLflow's client: what is registered leads where `places` says."""

    places: dict[str, str]
    root: str = "s3://mlflow/artifacts/0"

    def get_experiment(self, experiment_id: str) -> Any:
        assert experiment_id == "0"
        return SimpleNamespace(artifact_location=self.root)

    def get_logged_model(self, model_id: str) -> Any:
        return SimpleNamespace(artifact_location=self.places[f"models:/{model_id}"])

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        return self.places[f"models:/{name}/{version}"]

    def get_run(self, run_id: str) -> Any:
        return SimpleNamespace(info=SimpleNamespace(artifact_uri=self.places[f"runs:/{run_id}"]))


KEPT = {
    "a model of a run": {
        "models:/wine/1": "models:/m-1",
        "models:/m-1": "mlflow-artifacts:/3/models/m-1/artifacts",
    },
    "a file of a run": {
        "models:/wine/1": "runs:/r1/model",
        "runs:/r1": "mlflow-artifacts:/3/r1/artifacts",
    },
    "a copy of another version": {
        "models:/wine/1": "models:/other/2",
        "models:/other/2": "models:/m-1",
        "models:/m-1": "mlflow-artifacts:/3/models/m-1/artifacts",
    },
    "the server's own folder": {"models:/wine/1": "mlflow-artifacts:/3/r1/artifacts/model"},
}
FOREIGN = {
    "another tenant's bucket": {"models:/wine/1": "s3://tenant-other/secret"},
    "an experiment with a folder of somebody's choice": {
        "models:/wine/1": "models:/m-1",
        "models:/m-1": "s3://tenant-other/models/m-1",
    },
    "a run of such an experiment": {
        "models:/wine/1": "runs:/r1/model",
        "runs:/r1": "s3://tenant-other/r1",
    },
    "a copy of such a version": {
        "models:/wine/1": "models:/evil/1",
        "models:/evil/1": "s3://tenant-other/secret",
    },
    "a file of this machine": {"models:/wine/1": "file:///etc"},
    "a path of this machine": {"models:/wine/1": "/etc"},
    "a server of somebody's choice": {"models:/wine/1": "https://host.example/model"},
    "another server behind the same word": {"models:/wine/1": "mlflow-artifacts://host.example/x"},
    "a way out of the folder": {"models:/wine/1": "mlflow-artifacts:/3/../../x"},
    "the same in escapes": {"models:/wine/1": "mlflow-artifacts:/3/%2e%2e/%2e%2e/x"},
    "an alias": {"models:/wine/1": "models:/other@champion"},
    "a ring": {"models:/wine/1": "models:/wine/1"},
    "nothing": {"models:/wine/1": ""},
}


@pytest.mark.parametrize("name", KEPT)
def test_what_the_server_keeps_is_taken(name: str) -> None:
    refuse_foreign(FakeMlflow(KEPT[name]), "wine", "1")


def test_a_server_that_keeps_files_in_a_bucket_of_its_own() -> None:
    kept = {"models:/wine/1": "s3://mlflow/artifacts/3/r1/artifacts/model"}
    refuse_foreign(FakeMlflow(kept), "wine", "1")
    beside = {"models:/wine/1": "s3://mlflow/artifacts-of-others/x"}
    with pytest.raises(InputError):
        refuse_foreign(FakeMlflow(beside), "wine", "1")


@pytest.mark.parametrize("name", FOREIGN)
def test_what_lies_elsewhere_is_refused_with_the_place(name: str) -> None:
    with pytest.raises(InputError, match="not kept by MLflow") as refused:
        refuse_foreign(FakeMlflow(FOREIGN[name]), "wine", "1")
    assert refused.value.where == "wine/1"
