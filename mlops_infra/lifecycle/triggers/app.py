"""The controller's HTTP side: signs of life, metrics, Alertmanager's webhook and people's requests.

`/alerts`, `/retrain` and `/events` want the bearer token of Secret `trigger-token`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError, MlopsError, OperationFailed
from mlops_infra.lifecycle.services.workers import ThreadWorker, Workers
from mlops_infra.lifecycle.triggers import signals
from mlops_infra.lifecycle.triggers.controller import Controller
from mlops_infra.lifecycle.triggers.metrics import Figures
from mlops_infra.lifecycle.triggers.rules import workflow_name

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

TICK_SECONDS = 15.0
STALE_SECONDS = 300.0
"""Without a tick for so long the controller hangs, and its probe says so."""
LARGEST = 1 << 20
"""Bytes of a request's body."""
_log = logging.getLogger("mlops_infra.triggers")


class TriggerApp:
    """One controller with its loop in a thread and its HTTP routes."""

    def __init__(self, controller: Controller, token: str, tick_seconds: float) -> None:
        if not token:
            raise InputError(
                "the controller has no token", where="environment variable TRIGGER_TOKEN"
            )
        self._controller = controller
        self._token = token
        self._tick_seconds = tick_seconds
        self._stop = threading.Event()
        self._ticking = ThreadWorker("triggers", self._loop)
        self._workers = Workers(self._ticking, restarted=self._restarted)
        for worker in (self._ticking, self._workers.watch):
            # there from the start: a figure that begins at its first error never rises
            controller.errors.setdefault(f"worker/{worker.name}", 0)

    def app(self) -> Starlette:
        """The ASGI application; its lifespan is the loop's."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(
            lifespan=self._lifespan,
            routes=[
                Route("/healthz", self._healthz),
                Route("/metrics", self._metrics),
                Route("/alerts", self._guarded(self._alerts), methods=["POST"]),
                Route("/retrain", self._guarded(self._retrain), methods=["POST"]),
                Route("/events", self._guarded(self._events)),
            ],
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        self._workers.start()
        yield
        await self._workers.stop()
        self._stop.set()
        # a tick under way is left to finish: everything it does can be repeated, but need not
        await asyncio.to_thread(self._ticking.join, 20)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                self._controller.tick()
            except Exception:  # noqa: BLE001 - the next tick does all that this one did not
                self._count("tick")
                _log.exception("a tick has failed")
            self._stop.wait(self._tick_seconds)

    def _restarted(self, worker: str) -> None:
        self._count(f"worker/{worker}")

    def _count(self, what: str) -> None:
        errors = self._controller.errors
        errors[what] = errors.get(what, 0) + 1

    def _guarded(
        self, handler: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Ask for the token, read JSON, answer JSON, and give errors a status."""
        from starlette.responses import JSONResponse

        async def handle(request: Request) -> Response:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(
                given.strip().encode(), self._token.encode()
            ):
                return JSONResponse({"error": "a bearer token is required"}, 401)
            try:
                body = await _body(request)
                answer = await asyncio.to_thread(handler, body)
            except InputError as error:
                return JSONResponse(error.as_dict(), 422)
            except MlopsError as error:
                _log.warning("%s", str(error).replace("\n", ";"))
                return JSONResponse(error.as_dict(), 503)
            except Exception as error:  # noqa: BLE001 - of this request alone
                self._count("request")
                _log.exception("%s", request.url.path)
                return JSONResponse({"error": f"it failed here: {type(error).__name__}"}, 500)
            return JSONResponse(answer, answer.pop("status", 200))

        return handle

    async def _healthz(self, _request: Request) -> Response:
        from starlette.responses import PlainTextResponse

        last = self._controller.last_tick
        age = (self._controller.clock() - last).total_seconds() if last else 0.0
        broken = self._workers.look()
        alive = not broken and age < max(STALE_SECONDS, 4 * self._tick_seconds)
        return PlainTextResponse(f"last tick {age:.0f} s ago\n", 200 if alive else 503)

    async def _metrics(self, _request: Request) -> Response:
        from prometheus_client import CollectorRegistry, generate_latest
        from starlette.responses import Response

        registry = CollectorRegistry()
        registry.register(Figures(self._controller.ledger.connect, self._controller))
        text = await asyncio.to_thread(generate_latest, registry)
        return Response(text, media_type="text/plain; version=0.0.4")

    def _alerts(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Alertmanager's webhook: every firing alert that names a declared model is a signal."""
        alerts = body.get("alerts")
        if not isinstance(alerts, list):
            raise InputError("not a notification of Alertmanager: it has no list 'alerts'")
        taken, left = [], []
        failed: MlopsError | None = None
        for alert in alerts:
            if not isinstance(alert, dict) or alert.get("status") != "firing":
                continue
            try:
                taken.append(self._taken(alert))
            except InputError as error:
                left.append(error.what)
            except MlopsError as error:
                # the others are taken first; Alertmanager sends all of them again
                failed = error
            except Exception as error:  # noqa: BLE001 - of this alert alone
                _log.exception("an alert cannot be taken")
                failed = OperationFailed(f"an alert cannot be taken: {error!r}")
        if failed is not None:
            raise failed
        return {"taken": taken, "left": left}

    def _taken(self, alert: Mapping[str, Any]) -> str:
        """Enter one alert as a signal; the id of its model.

        Raises:
            InputError: it names no model that is retrained on alerts.
        """
        labels = alert.get("labels")
        held = labels if isinstance(labels, dict) else {}
        tenant, name = str(held.get("tenant", "")), str(held.get("model", ""))
        model = self._controller.model(tenant, name)
        if not model.drift:
            raise InputError(f"{model.id} is not retrained on alerts")
        found = self._controller.sensors.drift(model)
        seen = signals.drift(name, found, None).signal if found else None
        # the drift job's own alert is its result again; any other alert is a cause of its own
        self._controller.ask(model, seen or signals.alert(name, alert, self._controller.clock()))
        return model.id

    def _retrain(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A person asks for a training; one that is under way is named instead."""
        words = {
            key: str(body.get(key) or "") for key in ("tenant", "model", "reason", "by", "request")
        }
        model = self._controller.model(words["tenant"], words["model"])
        request = words["request"] or uuid.uuid4().hex
        now = self._controller.clock()
        signal = signals.on_demand(model.name, request, words["reason"], words["by"], now)
        decision = self._controller.ask(model, signal)
        workflow = workflow_name(model.tenant, model.name, signal.trigger, signal.key)
        if decision.hold is not None:
            self._controller.ledger.withdraw(model, signal, decision.hold)
            return {"started": False, "why": decision.hold, "status": 409}
        return {"started": True, "workflow": workflow, "namespace": model.namespace, "status": 202}

    def _events(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The latest events, of one tenant or model where the query names it."""
        return {
            "events": self._controller.ledger.events(
                tenant=query.get("tenant"), model=query.get("model"), limit=100
            )
        }


async def _body(request: Request) -> Mapping[str, Any]:
    import json

    if request.method == "GET":
        return dict(request.query_params)
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > LARGEST:
            raise InputError(f"the body is larger than {LARGEST} bytes")
    try:
        body = json.loads(bytes(raw))
    except ValueError as error:
        raise InputError(f"the body is not valid JSON: {error}") from error
    if not isinstance(body, dict):
        raise InputError("the body is not a JSON object")
    return body
