"""The newest runs of the tracking server, over its REST API: no client library is loaded for it.

https://mlflow.org/docs/latest/rest-api.html: experiments/search, runs/search.
"""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.registry.metric_names import decoded
from mlops_infra.lifecycle.services.credentials import Login
from mlops_infra.lifecycle.services.reachability import listening

SECONDS = 10.0
_EXPERIMENTS = 200
_METRICS = 4


@dataclass(frozen=True, slots=True)
class RecentRun:
    """One run as the tracking server tells it."""

    name: str
    id: str
    experiment: str
    status: str
    started: str
    """UTC, ISO 8601."""
    metrics: str
    """The first few, for example `accuracy 0.963`."""
    url: str


def recent_runs(uri: str, login: Login | None, *, limit: int = 10) -> list[RecentRun]:
    """The newest runs of all experiments.

    Raises:
        OperationFailed: the server is out of reach, refuses, or answers something else.
    """
    listening("MLflow", uri)
    body = {"max_results": _EXPERIMENTS}
    experiments = _ask(uri, login, "experiments/search", body).get("experiments", [])
    names = {each["experiment_id"]: each["name"] for each in experiments}
    if not names:
        return []
    question = {
        "experiment_ids": list(names),
        "max_results": limit,
        "order_by": ["attributes.start_time DESC"],
    }
    found = _ask(uri, login, "runs/search", question).get("runs", [])
    return [_run(uri, each, names) for each in found]


def _run(uri: str, body: dict[str, Any], names: dict[str, str]) -> RecentRun:
    info, metrics = body["info"], body.get("data", {}).get("metrics", [])
    started = datetime.datetime.fromtimestamp(int(info["start_time"]) / 1000, datetime.UTC)
    shown = sorted(metrics, key=lambda each: str(each["key"]))[:_METRICS]
    return RecentRun(
        name=info.get("run_name") or info["run_id"],
        id=info["run_id"],
        experiment=names.get(info["experiment_id"], info["experiment_id"]),
        status=info["status"],
        started=started.isoformat(timespec="seconds"),
        metrics=", ".join(
            f"{decoded(str(each['key']))} {float(each['value']):.4g}" for each in shown
        ),
        url=f"{uri}/#/experiments/{info['experiment_id']}/runs/{info['run_id']}",
    )


def _ask(uri: str, login: Login | None, path: str, body: object) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if login is not None:
        word = base64.b64encode(f"{login.name}:{login.password}".encode()).decode()
        headers["Authorization"] = f"Basic {word}"
    # The scheme is http or https: it comes from the platform's own outputs.
    request = urllib.request.Request(  # noqa: S310
        f"{uri}/api/2.0/mlflow/{path}", json.dumps(body).encode(), headers
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return dict(json.load(answer))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OperationFailed(
            f"MLflow did not list its runs: {error}",
            where=f"{uri}/api/2.0/mlflow/{path}",
            hint="mlops-infra status -s STACK shows its Pod",
        ) from error
