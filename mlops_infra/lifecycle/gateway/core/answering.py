"""Answers one request: chooses who is asked, falls back, shows it to the shadow, logs it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from mlops_infra.lifecycle.gateway.core.agreement import disagreement
from mlops_infra.lifecycle.gateway.core.backend import Answer, Backends
from mlops_infra.lifecycle.gateway.core.checking import check
from mlops_infra.lifecycle.gateway.core.incoming import Incoming
from mlops_infra.lifecycle.gateway.core.metrics import Metrics
from mlops_infra.lifecycle.gateway.core.outgoing import selected
from mlops_infra.lifecycle.gateway.core.prediction import Row
from mlops_infra.lifecycle.gateway.core.request_log import RequestLog
from mlops_infra.lifecycle.gateway.core.splitting import Role, chosen, prediction_id
from mlops_infra.lifecycle.gateway.core.table import Loaded, Served

SHADOW_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on its way."""

    loaded: Loaded
    id: str
    """The prediction's."""
    body: bytes
    request_id: str | None
    key: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """What goes back to the client."""

    answer: Answer
    role: Role
    served: Served
    id: str
    """The prediction's."""
    request: Incoming

    def document(self, model: str) -> dict[str, Any] | None:
        """The answer under the names that the client knows; None where there is none.

        Raises:
            Refused: the request names an output that the model does not have.
        """
        held = self.answer.document
        if held is None:
            return None
        return {
            **held,
            "model_name": model,
            "model_version": self.served.target.version,
            "id": self.request.id or self.id,
            "outputs": selected(held, self.request),
        }


def outward(answer: Answer) -> int:
    """The HTTP status that a client is told."""
    if answer.good:
        return HTTPStatus.OK
    if answer.timed_out:
        return HTTPStatus.GATEWAY_TIMEOUT
    if answer.refused:
        return answer.status
    return _STATUS.get(answer.status, HTTPStatus.BAD_GATEWAY)


_STATUS = dict.fromkeys((0, 429, 503), HTTPStatus.SERVICE_UNAVAILABLE) | {
    504: HTTPStatus.GATEWAY_TIMEOUT
}


class Answering:
    """Asks models for clients. One for a process; all of it runs in one event loop."""

    def __init__(
        self,
        backends: Backends,
        log: RequestLog | None,
        metrics: Metrics,
        *,
        shadows: int,
        logged_bytes: int,
    ) -> None:
        self._backends = backends
        self._log = log
        self._metrics = metrics
        self._most_shadows = shadows
        self._logged_bytes = logged_bytes
        self._shadows: set[asyncio.Task[None]] = set()

    async def answer(
        self, loaded: Loaded, request: Incoming, key: str | None, named: Served | None = None
    ) -> Given:
        """Check the request, ask a model, and give its answer, or that of who stands in for it.

        Args:
            loaded: the model's route.
            request: the client's.
            key: what is to be treated alike.
            named: the version that the client names: nobody stands in for it.

        Raises:
            Refused: the request is not for this model.
        """
        check(request.document, (named or loaded.champion).fields)
        made = prediction_id()
        asked = Asked(loaded, made, request.body(), request.id, key, datetime.now(UTC))
        if named is not None:
            role: Role = "champion" if named is loaded.champion else "challenger"
            return Given(await self._ask(asked, named, role), role, named, made, request)
        if chosen(loaded.route, key or request.id or made) == "challenger":
            assert loaded.challenger is not None  # noqa: S101 - it was just chosen
            answer = await self._ask(asked, loaded.challenger, "challenger")
            if answer.good:
                return Given(answer, "challenger", loaded.challenger, made, request)
            # Who is on trial must not cost anybody an answer.
        answer = await self._ask(asked, loaded.champion, "champion")
        self._mirror(asked, answer)
        if answer.own_fault and loaded.fallback is not None:
            instead = await self._ask(asked, loaded.fallback, "fallback")
            if instead.good:
                route = loaded.route
                self._metrics.fallbacks.labels(route.tenant, route.model).inc()
                return Given(instead, "fallback", loaded.fallback, made, request)
        return Given(answer, "champion", loaded.champion, made, request)

    async def close(self, seconds: float) -> None:
        """Let shadows end, for so long."""
        if self._shadows:
            await asyncio.wait(self._shadows, timeout=seconds)
        for task in self._shadows:
            task.cancel()

    async def _ask(self, asked: Asked, served: Served, role: Role) -> Answer:
        seconds = asked.loaded.route.timeout
        answer = await self._backends.infer(served, asked.body, seconds)
        self._count(asked, served, role, answer)
        self._write(asked, served, role, answer, None)
        return answer

    def _mirror(self, asked: Asked, ours: Answer) -> None:
        route, challenger = asked.loaded.route, asked.loaded.challenger
        if not route.shadow or challenger is None or not ours.good:
            return
        if len(self._shadows) >= self._most_shadows:
            self._metrics.unmirrored.labels(route.tenant, route.model).inc()
            return
        task = asyncio.create_task(self._shadow(asked, challenger, ours))
        self._shadows.add(task)
        task.add_done_callback(self._shadow_ended)

    def _shadow_ended(self, task: asyncio.Task[None]) -> None:
        self._shadows.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._metrics.item_errors.labels("shadow").inc()
            _log.error("a shadow's answer was lost", exc_info=error)

    async def _shadow(self, asked: Asked, challenger: Served, ours: Answer) -> None:
        answer = await self._backends.infer(challenger, asked.body, SHADOW_SECONDS)
        self._count(asked, challenger, "shadow", answer)
        differ = None
        if answer.document is not None and ours.document is not None:
            route = asked.loaded.route
            differ = disagreement(ours.document, answer.document)
            self._metrics.compared.labels(route.tenant, route.model).inc()
            self._metrics.disagreed.labels(route.tenant, route.model).inc(differ)
        self._write(asked, challenger, "shadow", answer, differ)

    def _count(self, asked: Asked, served: Served, role: Role, answer: Answer) -> None:
        route, metrics = asked.loaded.route, self._metrics
        labels = (route.tenant, route.model, served.target.version, role)
        metrics.requests.labels(*labels, str(answer.status)).inc()
        metrics.latency.labels(*labels).observe(answer.seconds)
        if not answer.good:
            metrics.errors.labels(*labels).inc()

    def _write(
        self, asked: Asked, served: Served, role: Role, answer: Answer, differ: float | None
    ) -> None:
        if self._log is None:
            return
        route = asked.loaded.route
        self._log.put(
            Row(
                prediction_id=asked.id,
                role=role,
                tenant=route.tenant,
                model=route.model,
                version=served.target.version,
                server=served.target.server,
                at=asked.at,
                latency_ms=answer.seconds * 1000,
                status=answer.status,
                request=self._text(asked.body),
                response=self._text(answer.body) if answer.document is not None else None,
                error=answer.error,
                disagreement=differ,
                request_key=asked.key,
                request_id=asked.request_id,
            )
        )

    def _text(self, body: bytes) -> str | None:
        return body.decode(errors="replace") if len(body) <= self._logged_bytes else None
