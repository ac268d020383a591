"""The step `promote` in a Pod, and so every training of a trigger, serves by the chosen engine."""

from __future__ import annotations

import json

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.promotion.access import in_a_pod
from mlops_infra.lifecycle.services.environment import Environment

SERVING = {
    "engines": ["kserve", "seldon-core"],
    "default": "kserve",
    "models": {"wine": "seldon-core"},
    "loader": "r.example/rclone:1",
}
POD = {
    "MLFLOW_TRACKING_URI": "http://mlflow.example",
    "AWS_ENDPOINT_URL_S3": "http://s3.example",
    "AWS_ACCESS_KEY_ID": "tenant-demo",
    "AWS_SECRET_ACCESS_KEY": "none",
    "MLOPS_INFRA_BUCKET": "tenant-demo",
    "MLOPS_INFRA_TENANT": "demo",
    "MLOPS_INFRA_LINEAGE": "redis://kv.example",
}


def test_a_step_serves_by_the_engine_of_its_model() -> None:
    told = {**POD, "MLOPS_INFRA_SERVING": json.dumps(SERVING)}
    access = in_a_pod(Environment.here(told), told)
    assert access.parts("wine").engine == "seldon-core"
    assert access.parts("churn").engine == "kserve"
    assert set(access.parts("wine").servings) == {"kserve", "seldon-core"}, "to clear up both"


def test_a_step_that_is_not_told_its_engines_serves_nowhere() -> None:
    with pytest.raises(InputError, match="MLOPS_INFRA_SERVING"):
        in_a_pod(Environment.here(POD), POD)
