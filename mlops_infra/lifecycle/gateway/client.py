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
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.gateway.traffic import TrafficSummary

ANSWER_SECONDS = 15.0


class Observer(Protocol):
    """Tells how a version fared; raises `OperationFailed` alone."""

    def observed(self, tenant: str, model: str, version: str, since: float) -> TrafficSummary:
        """What it answered or saw as a shadow since `since`, seconds since the epoch."""


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
            raise self._refused(path, error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OperationFailed(
                f"the model gateway does not respond: {error}",
                where=self.url,
                hint="mlops-infra status -s STACK shows its Pod",
            ) from error
        return read

    def _refused(self, path: str, error: urllib.error.HTTPError) -> OperationFailed | InputError:
        with error:
            text = error.read().decode(errors="replace")
        try:
            told = str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            told = text[:200]
        where = f"{self.url}{path}"
        if error.code in (400, 404, 413):
            return InputError(f"the model gateway refuses the request: {told}", where=where)
        return OperationFailed(f"the model gateway: HTTP {error.code}, {told}", where=where)
