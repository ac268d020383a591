"""Asks the trigger controller from outside of the cluster, through a tunnel of the API server.

The controller has no port on the nodes: who may open a tunnel into namespace `lifecycle` and read
its token is the cluster's own decision.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube.tunnelled_http import tunnelled
from mlops_infra.lifecycle.services.credentials import Secrets

NAMESPACE, PORT = "lifecycle", 8080
SELECTOR = {contract.NAME_LABEL: "lifecycle", contract.COMPONENT_ROLE_LABEL: "triggers"}
SECRET = contract.TRIGGER_TOKEN_SECRET
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the controller said."""

    status: int
    body: Mapping[str, Any]


class TriggerClient:
    """The trigger controller of the cluster that a kubeconfig names."""

    def __init__(self, kubeconfig: Path | None, context: str | None, secrets: Secrets) -> None:
        self._kubeconfig = kubeconfig
        self._context = context
        self._secrets = secrets

    def retrain(self, tenant: str, model: str, *, reason: str, by: str, request: str) -> Answer:
        """Ask for a training.

        Raises:
            InputError: the model is not declared.
            OperationFailed: the controller cannot be reached, or something it needs.
        """
        body = {"tenant": tenant, "model": model, "reason": reason, "by": by, "request": request}
        return self._ask("POST", "/retrain", body)

    def events(self, tenant: str, model: str) -> list[dict[str, Any]]:
        """The latest events of a model."""
        found: list[dict[str, Any]] = self._ask(
            "GET", f"/events?tenant={tenant}&model={model}", None
        ).body["events"]
        return found

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None) -> Answer:
        token = self._secrets.read(NAMESPACE, SECRET).get("token")
        if token is None:
            raise OperationFailed(
                "this platform has no trigger controller",
                where=f"Secret {NAMESPACE}/{SECRET} is absent",
                hint="set components.lifecycle and components.argo-workflows to managed, then up",
            )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        text = json.dumps(body) if body is not None else None
        try:
            connection = self._connection()
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            read = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OperationFailed(
                f"the trigger controller does not respond: {error}",
                where=f"namespace {NAMESPACE}",
                hint=f"kubectl -n {NAMESPACE} logs deployment/trigger-controller",
            ) from error
        answer = Answer(response.status, read)
        if answer.status == 422:
            raise InputError(read["what"], where=read["where"], hint=read["hint"])
        if answer.status not in (200, 202, 409):
            raise OperationFailed(
                f"the trigger controller returned HTTP {answer.status}: {read.get('what', read)}",
                where=f"namespace {NAMESPACE}",
            )
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        return tunnelled(
            self._kubeconfig,
            self._context,
            title="the trigger controller",
            namespace=NAMESPACE,
            labels=SELECTOR,
            port=PORT,
            seconds=SECONDS,
        )
