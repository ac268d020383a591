"""The gateway as an ASGI application: paths, and who may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from mlops_infra.lifecycle.gateway.core import description
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.table import Loaded, Served
from mlops_infra.lifecycle.gateway.core.texts import shown
from mlops_infra.lifecycle.gateway.http.answers import error_answer, json_answer
from mlops_infra.lifecycle.gateway.http.inference import Inference
from mlops_infra.lifecycle.gateway.http.log_reader import LogReader

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute


class HttpApp:
    """Answers HTTP requests through one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._inference = Inference(gateway)
        self._log_reader = LogReader(gateway.settings.database, gateway.log)

    def asgi(self, lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]]) -> Starlette:
        """The application; `lifespan` holds what runs beside it."""
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.routing import Route

        model = "/{tenant}/v2/models/{model}"
        log = self._log_reader
        routes: list[BaseRoute] = []
        for path in (model, f"{model}/versions/{{version}}"):
            routes += [
                Route(f"{path}/infer", self.infer, methods=["POST"]),
                Route(f"{path}/ready", self._for_tenant(self.ready)),
                Route(path, self._for_tenant(self.describe)),
            ]
        for path in ("/v2", "/{tenant}/v2"):
            routes += [
                Route(path, self.about),
                Route(f"{path}/health/live", self.live),
                Route(f"{path}/health/ready", self.readyz),
            ]
        routes += [
            Route(f"{model}/observed", self._for_tenant(log.observed)),
            Route("/{tenant}/v2/models", self._for_tenant(self.list)),
            Route("/{tenant}/predictions/{id}", self._for_tenant(log.prediction)),
            Route("/healthz", self.live),
            Route("/readyz", self.readyz),
            Route("/metrics", self.prometheus),
        ]
        app = Starlette(
            lifespan=lifespan,
            routes=routes,
            exception_handlers={HTTPException: _of_http, Exception: self._unexpected},
        )
        app.router.redirect_slashes = False
        return app

    async def infer(self, request: Request) -> Response:
        """`POST /{tenant}/v2/models/{model}[/versions/{version}]/infer`."""
        if not self._admits(request):
            return _unauthorized()
        loaded = self._loaded(request)
        if loaded is None:
            return _no_model(request)
        named = None
        if version := request.path_params.get("version"):
            named = loaded.named(version)
            if named is None:
                return _no_version(loaded, version)
        elif loaded.route.trial:
            return error_answer(503, "its first version has not answered a request yet")
        return await self._inference.infer(request, loaded, named)

    async def ready(self, request: Request) -> Response:
        """`GET …/ready`: whether the version, or the champion, may be asked."""
        served = self._served(request)
        unasked = "version" not in request.path_params
        if served is None or served[1].breaker.open or (unasked and served[0].route.trial):
            return error_answer(503, "the model is not available")
        return json_answer(200, {"name": served[0].route.model, "ready": True})

    async def describe(self, request: Request) -> Response:
        """`GET …/{model}[/versions/{version}]`: the metadata, and who gets which share."""
        served = self._served(request)
        if served is not None:
            return json_answer(200, description.model(*served))
        loaded = self._loaded(request)
        if loaded is None:
            return _no_model(request)
        return _no_version(loaded, request.path_params["version"])

    async def list(self, request: Request) -> Response:
        """`GET /{tenant}/v2/models`: the tenant's models."""
        tenant = request.path_params["tenant"]
        found = [each for each in self._gateway.table.all().values() if each.route.tenant == tenant]
        told = [description.model(each, each.champion) for each in found]
        return json_answer(200, {"models": told})

    async def about(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """`GET /v2`: the server's metadata."""
        return json_answer(200, description.SERVER)

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """Whether the process lives, and all that runs in it beside requests."""
        if broken := self._gateway.workers.look():
            return error_answer(503, f"does not stay up: {', '.join(broken)}")
        return json_answer(200, {"live": True})

    async def readyz(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """Whether the routes are known."""
        if not self._gateway.table.loaded:
            return error_answer(503, "the routes are not loaded yet")
        return json_answer(200, {"ready": True, "routes": len(self._gateway.table.all())})

    async def prometheus(self, request: Request) -> Response:
        """What Prometheus scrapes; not there at the port that tenants ask."""
        from starlette.exceptions import HTTPException
        from starlette.responses import Response

        if request.scope["server"][1] != self._gateway.settings.metrics_port:
            raise HTTPException(404)
        text = self._gateway.figures()
        return Response(text, media_type="text/plain; version=0.0.4")

    def _loaded(self, request: Request) -> Loaded | None:
        return self._gateway.table.get(request.path_params["tenant"], request.path_params["model"])

    def _served(self, request: Request) -> tuple[Loaded, Served] | None:
        loaded = self._loaded(request)
        served = loaded and loaded.named(request.path_params.get("version", ""))
        return (loaded, served) if loaded and served else None

    def _admits(self, request: Request) -> bool:
        tenant = request.path_params["tenant"]
        return self._gateway.tokens.admits(tenant, request.headers.get("authorization"))

    def _for_tenant(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            return await endpoint(request) if self._admits(request) else _unauthorized()

        return guarded

    async def _unexpected(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        # Starlette gives the error on to the server, whose log has its traceback.
        self._gateway.metrics.item_errors.labels("http").inc()
        return error_answer(500, f"the gateway failed on this request: {type(error).__name__}")


async def _of_http(request: Request, error: Exception) -> Response:
    """What Starlette answers as text: no such path, no such method."""
    from starlette.exceptions import HTTPException

    if not isinstance(error, HTTPException):
        raise error
    what = "no such path" if error.status_code == 404 else error.detail
    return error_answer(
        error.status_code,
        f"{what}: {request.method} {shown(request.url.path)}",
        dict(error.headers or {}),
    )


def _no_model(request: Request) -> Response:
    tenant, model = request.path_params["tenant"], request.path_params["model"]
    return error_answer(404, f"tenant {tenant} serves no model {shown(model)}")


def _no_version(loaded: Loaded, version: str) -> Response:
    known = ", ".join(loaded.versions)
    told = f"{loaded.route.model} does not serve version {shown(version)}; it serves {known}"
    return error_answer(404, told)


def _unauthorized() -> Response:
    told = "the tenant's bearer token is required"
    return error_answer(401, told, {"WWW-Authenticate": "Bearer"})
