"""Writes onto a run of MLflow how its pipeline ended, over the REST API.

Every pipeline ends with a Pod that does nothing else, and importing MLflow's client takes longer
than all the rest of it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.registry.mlflow_tracking import hint_of
from mlops_infra.lifecycle.services.credentials import Login

STATUS_TAG = "mlops-infra.pipeline_status"
_TIMEOUT = (5, 20)
"""Seconds to connect, and between two bytes of the answer."""


def close(uri: str, login: Login | None, run_id: str, *, good: bool, status: str) -> None:
    """Set the status of the run, and the tag that keeps the engine's own word for it.

    Args:
        uri: base URL of MLflow.
        login: who asks; None where MLflow asks for no login.
        run_id: MLflow's id of the run.
        good: whether the pipeline succeeded.
        status: how it ended, as the engine says it.

    Raises:
        OperationFailed: MLflow refuses or does not answer.
    """
    _post(uri, login, "set-tag", {"run_id": run_id, "key": STATUS_TAG, "value": status})
    ended = {"status": "FINISHED" if good else "FAILED", "end_time": int(time.time() * 1000)}
    _post(uri, login, "update", {"run_id": run_id, **ended})


def _post(uri: str, login: Login | None, what: str, body: Mapping[str, str | int]) -> None:
    import requests  # as MLflow's client does: the same settings of proxies and certificates hold

    try:
        requests.post(
            f"{uri.rstrip('/')}/api/2.0/mlflow/runs/{what}",
            json=body,
            auth=(login.name, login.password) if login else None,
            timeout=_TIMEOUT,
        ).raise_for_status()
    except requests.RequestException as error:
        raise OperationFailed(
            f"MLflow did not close the run: {error}", where=uri, hint=hint_of(str(error))
        ) from error
