"""Asks the model gateway: what it saw of a model, and what it knows of a prediction."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.core.backend import outputs_of
from mlops_infra.lifecycle.gateway.traffic import Reply, TrafficSummary

ANSWER_SECONDS = 15.0
FOLLOW_SECONDS = 15.0
"""In which a gateway has read a new route."""
WARM_SECONDS = 30.0
"""In which a server that has just become ready can be reached."""


class Observer(Protocol):
    """Tells how a version fared; raises `OperationFailed` alone."""

    def observed(self, tenant: str, model: str, version: str, since: float) -> TrafficSummary:
        """What it answered or saw as a shadow since `since`, seconds since the epoch."""

    def asked(self, model: str, version: str, request: Mapping[str, Any]) -> Reply:
        """How one version, by its name, answers one request."""


@dataclass(frozen=True, slots=True)
class GatewayClient:
    """One tenant's view of the gateway."""

    url: str
    tenant: str
    token: str = field(repr=False)

    def observed(self, tenant: str, model: str, version: str, since: float) -> TrafficSummary:
        """Requests, errors, latency and disagreement of one version, over all its roles."""
        start = datetime.fromtimestamp(since, UTC).isoformat()
        query = urlencode({"since": start})
        answer = self._get(f"/{tenant}/v2/models/{quote(model)}/observed?{query}")
        rows = [row for row in answer["observed"] if row["version"] == version]
        requests = sum(int(row["requests"]) for row in rows)
        told = [row["disagreement"] for row in rows if row["disagreement"] is not None]
        return TrafficSummary(
            requests=requests,
            errors=sum(int(row["errors"]) for row in rows),
            p99_ms=max((float(row["p99_ms"]) for row in rows), default=None),
            disagreement=max((float(each) for each in told), default=None),
        )

    def prediction(self, number: str) -> list[dict[str, Any]]:
        """Every model that was asked for one prediction; the first one answered."""
        asked: list[dict[str, Any]] = self._get(f"/{self.tenant}/predictions/{quote(number)}")[
            "asked"
        ]
        return sorted(asked, key=lambda row: (row["status"] != 200, row["role"] == "shadow"))

    def infer(self, model: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a model.

        Raises:
            InputError: the gateway refuses the request, with its reason.
        """
        return self._get(f"/{self.tenant}/v2/models/{quote(model)}/infer", request)

    def asked(self, model: str, version: str, request: Mapping[str, Any]) -> Reply:
        """How one version, by its name, answers one request.

        Raises:
            OperationFailed: the gateway does not answer, or does not know the version.
        """
        path = f"/{self.tenant}/v2/models/{quote(model)}/versions/{quote(version)}/infer"
        began = time.monotonic()
        while True:
            status, answer = self._sent(path, request)
            waited = time.monotonic() - began
            if status == HTTPStatus.OK:
                return Reply(outputs=outputs_of(answer["outputs"]))
            reason = f"HTTP {status}, {answer.get('error')}"
            if status == HTTPStatus.NOT_FOUND and waited > FOLLOW_SECONDS:
                raise OperationFailed(f"the model gateway: {reason}", where=f"{self.url}{path}")
            reached = status not in (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
            if reached or waited > WARM_SECONDS:
                return Reply(reason)
            time.sleep(1.0)

    def follows(self, model: str, version: str, seconds: float) -> None:
        """Wait until the gateway serves `version` as champion.

        Raises:
            OperationFailed: it does not within `seconds`.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                served = self._get(f"/{self.tenant}/v2/models/{quote(model)}")["champion"][
                    "version"
                ]
            except InputError:
                served = None  # it has not read the route of a new model yet
            if served == version:
                return
            if time.monotonic() > until:
                told = f"version {served}" if served else "no such model"
                raise OperationFailed(f"the gateway still serves {told}", where=self.url)
            time.sleep(0.1)

    def _get(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        status, answer = self._sent(path, body)
        if status == HTTPStatus.OK:
            return answer
        told, where = answer.get("error"), f"{self.url}{path}"
        if status in (400, 404, 413):
            raise InputError(f"the model gateway refuses the request: {told}", where=where)
        raise OperationFailed(f"the model gateway: HTTP {status}, {told}", where=where)

    def _sent(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and document of an answer, whatever the status."""
        # The scheme is http or https: it comes from the platform's own outputs.
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
                read: dict[str, Any] = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _error(error.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OperationFailed(
                f"the model gateway does not respond: {error}",
                where=self.url,
                hint="mlops-infra status -s STACK shows its Pod",
            ) from error
        return HTTPStatus.OK, read


def _error(body: bytes) -> dict[str, Any]:
    """The document of an error; whoever stands before the gateway may answer with a page."""
    try:
        read = json.loads(body)
    except ValueError:
        read = None
    if isinstance(read, dict) and "error" in read:
        return read
    return {"error": body.decode(errors="replace")[:200]}
