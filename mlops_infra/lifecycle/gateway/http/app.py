"""The gateway as an ASGI application: paths, and how answers and refusals are written."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.gateway.core.answering import Given, outward
from mlops_infra.lifecycle.gateway.core.checking import Refused, parsed
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.table import Loaded
from mlops_infra.lifecycle.gateway.http.log_reader import LogReader

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

KEY_HEADER = "x-request-key"
ID_HEADER = "x-prediction-id"


class TooLong(Exception):
    """The request's body has more bytes than are taken."""


class HttpApp:
    """Answers HTTP requests through one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._log_reader = LogReader(gateway.settings.database, gateway.log)

    def asgi(self, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]]) -> Starlette:
        """The application; `lifespan` holds what runs beside it."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        model = "/{tenant}/v2/models/{model}"
        log = self._log_reader
        return Starlette(
            lifespan=lifespan,
            routes=[
                Route(f"{model}/infer", self.infer, methods=["POST"]),
                Route(f"{model}/ready", self._for_tenant(self.ready)),
                Route(f"{model}/observed", self._for_tenant(log.observed)),
                Route(model, self._for_tenant(self.describe)),
                Route("/{tenant}/v2/models", self._for_tenant(self.list)),
                Route("/{tenant}/predictions/{id}", self._for_tenant(log.prediction)),
                Route("/healthz", self.healthz),
                Route("/readyz", self.readyz),
                Route("/metrics", self.prometheus),
            ],
        )

    async def infer(self, request: Request) -> Response:
        """`POST /{tenant}/v2/models/{model}/infer`."""
        tenant, model = request.path_params["tenant"], request.path_params["model"]
        if not self._gateway.tokens.admits(tenant, request.headers.get("authorization")):
            return _unauthorized()
        loaded = self._gateway.table.get(tenant, model)
        if loaded is None:
            return _error(404, f"tenant {tenant} serves no model {model}")
        with self._gateway.turn() as admitted:
            if admitted:
                return await self._infer(request, loaded)
        self._gateway.metrics.refused.labels(tenant, model, "busy").inc()
        return _error(503, "too many concurrent requests", {"Retry-After": "1"})

    async def _infer(self, request: Request, loaded: Loaded) -> Response:
        tenant, model = loaded.route.tenant, loaded.route.model
        try:
            if request.headers.get("inference-header-content-length"):
                return _error(415, "binary tensors are not supported: send data as JSON")
            body = await self._body(request)
            given = await self._gateway.answering.answer(
                loaded, parsed(body), body, self._gateway.key(request.headers.get(KEY_HEADER))
            )
        except TooLong:
            self._gateway.metrics.refused.labels(tenant, model, "too-long").inc()
            return _error(
                413, f"a request can have at most {self._gateway.settings.body_bytes} bytes"
            )
        except Refused as refused:
            self._gateway.metrics.refused.labels(tenant, model, "input").inc()
            told = [each.as_dict() for each in refused.refusals]
            return _json(400, {"error": str(refused), "fields": told})
        return _answer(given, model)

    async def _body(self, request: Request) -> bytes:
        most = self._gateway.settings.body_bytes
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > most:
            raise TooLong
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise TooLong
            parts.append(part)
        return b"".join(parts)

    async def ready(self, request: Request) -> Response:
        """`GET …/ready`: whether the champion may be asked."""
        loaded = self._loaded(request)
        if loaded is None or loaded.champion.breaker.open:
            return _error(503, "the model is not available")
        return _json(200, {"name": loaded.route.model, "ready": True})

    async def describe(self, request: Request) -> Response:
        """`GET …/{model}`: the protocol's metadata, and who gets which share."""
        loaded = self._loaded(request)
        if loaded is None:
            return _error(404, f"no such model: {request.path_params['model']}")
        return _json(200, _described(loaded))

    async def list(self, request: Request) -> Response:
        """`GET /{tenant}/v2/models`: the tenant's models."""
        tenant = request.path_params["tenant"]
        found = [each for each in self._gateway.table.all().values() if each.route.tenant == tenant]
        return _json(200, {"models": [_described(each) for each in found]})

    async def healthz(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """Whether the process lives."""
        return _json(200, {"live": True})

    async def readyz(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """Whether the routes are known."""
        if not self._gateway.table.loaded:
            return _error(503, "the routes are not loaded yet")
        return _json(200, {"ready": True, "routes": len(self._gateway.table.all())})

    async def prometheus(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """What Prometheus scrapes."""
        from starlette.responses import Response

        return Response(self._gateway.metrics.text(), media_type="text/plain; version=0.0.4")

    def _loaded(self, request: Request) -> Loaded | None:
        return self._gateway.table.get(request.path_params["tenant"], request.path_params["model"])

    def _for_tenant(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            tenant = request.path_params["tenant"]
            if not self._gateway.tokens.admits(tenant, request.headers.get("authorization")):
                return _unauthorized()
            return await endpoint(request)

        return guarded


def _answer(given: Given, model: str) -> Response:
    answer = given.answer
    version = given.served.target.version
    headers = {ID_HEADER: given.id, "x-model-version": version, "x-model-role": given.role}
    if answer.document is not None:
        document = answer.document
        document["model_name"], document["model_version"] = model, version
        document["id"] = given.request_id or given.id
        return _json(200, document, headers)
    return _json(outward(answer), {"error": answer.error, "id": given.id}, headers)


def _described(loaded: Loaded) -> dict[str, Any]:
    route, challenger = loaded.route, loaded.route.challenger
    return {
        "name": route.model,
        "versions": [t.version for t in (route.champion, challenger) if t is not None],
        "platform": "mlops-infra",
        "inputs": list(route.champion.inputs),
        "ranges": dict(route.champion.ranges),
        "champion": {"version": route.champion.version, "server": route.champion.server},
        "challenger": challenger
        and {
            "version": challenger.version,
            "server": challenger.server,
            "share": route.share,
            "shadow": route.shadow,
        },
    }


def _unauthorized() -> Response:
    return _error(401, "the tenant's bearer token is required", {"WWW-Authenticate": "Bearer"})


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json(status, {"error": message}, headers)


def _json(status: int, document: object, headers: dict[str, str] | None = None) -> Response:
    from starlette.responses import Response

    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers, "application/json")
