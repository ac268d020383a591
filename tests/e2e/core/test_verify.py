"""The MLOps loop through a real platform, and what is told when a part of it is missing."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from tests.e2e.platform import Platform, told


def verified(platform: Platform, *options: str) -> dict[str, Any]:
    done = platform.run("verify", "-s", platform.stack, "--json", *options)
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 3), told(done)
    return report


@pytest.fixture(scope="module")
def kept(platform: Platform) -> dict[str, Any]:
    """What a verification that cleans nothing up tells."""
    return verified(platform)


def test_the_whole_loop_works_from_outside(kept: dict[str, Any]) -> None:
    assert {step["step"]: step["outcome"] for step in kept["steps"]} == {
        "Reaching the endpoints": "done",
        "Loading the libraries": "done",
        "Making the data set": "done",
        "Training a model": "done",
        "Logging the run": "done",
        "Reading the run back": "done",
        "Saving the model": "done",
        "Registering the model": "done",
        "Loading it and predicting": "done",
        "Linking both runs": "done",
        "Object store round trip": "done",
    }


def test_what_it_made_is_found_by_others_and_removed_on_request(
    platform: Platform, kept: dict[str, Any]
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(platform.outputs["tracking_uri"])
    run = client.get_run(kept["trackingRun"])
    assert run.data.tags["mlops-infra.pipeline_run"] == kept["pipelineRun"]
    assert len(run.data.tags["mlops-infra.data.sha256"]) == 64

    removed = verified(platform, "--clean")
    assert removed["cleaned"]
    assert client.get_run(removed["trackingRun"]).info.lifecycle_stage == "deleted"
    assert client.get_run(kept["trackingRun"]).info.lifecycle_stage == "active"
    _, name, version = kept["model"].replace("models:/", "models/").split("/")
    left = {str(one.version) for one in client.search_model_versions(f"name='{name}'")}
    assert version in left
    assert removed["model"].rpartition("/")[2] not in left


def test_a_store_without_its_bucket_is_named(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops_infra.errors import OperationFailed
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets, credentials
    from mlops_infra.lifecycle.services.object_store import S3Store

    monkeypatch.delenv("HTTP_PROXY", raising=False)
    held = credentials(ClusterSecrets(platform.kubeconfig))
    assert held.objects
    bucket = f"absent-{secrets.token_hex(4)}"
    with pytest.raises(OperationFailed, match="did not show the bucket"):
        S3Store(platform.outputs["object_endpoint"], bucket, held.objects).reach()
