"""The HTTP contract of a SageMaker container as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.endpoint.artefact import Artefact
from mlops_infra.lifecycle.endpoint.rows import CSV, JSON, LINES, TYPES, table, written
from mlops_infra.lifecycle.gateway.core.checking import Refused

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_log = logging.getLogger(__name__)
_ALIASES = {"application/x-jsonlines": LINES, "application/jsonl": LINES, "application/csv": CSV}
PAYLOAD_MB = 6
"""The most that SageMaker sends by itself, and the default of batch transform."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one container takes."""

    payload_bytes: int = PAYLOAD_MB << 20
    at_once: int = 1
    """Predictions at the same time; more wait."""
    waiting: int = 64
    """Requests that may wait; more are told to come again."""


class Endpoint:
    """Answers for one model."""

    def __init__(self, artefact: Artefact, limits: Limits) -> None:
        self._artefact, self._limits = artefact, limits
        self._turn = asyncio.Semaphore(limits.at_once)
        self._here = 0

    def asgi(self) -> Starlette:
        """The application."""
        from starlette.applications import Starlette
        from starlette.routing import Route

        return Starlette(
            routes=[
                Route("/ping", self.ping),
                Route("/invocations", self.invocations, methods=["POST"]),
                Route("/execution-parameters", self.parameters),
            ]
        )

    async def ping(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's form
        """`GET /ping`: the model is loaded, or nobody would answer here."""
        return _json(200, {"model": self._artefact.name})

    async def parameters(self, request: Request) -> Response:  # noqa: ARG002
        """`GET /execution-parameters`: how batch transform cuts its files."""
        told = {
            "MaxConcurrentTransforms": self._limits.at_once,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": self._limits.payload_bytes >> 20,
        }
        return _json(200, told)

    async def invocations(self, request: Request) -> Response:
        """`POST /invocations`."""
        if self._here >= self._limits.at_once + self._limits.waiting:
            return _json(503, {"error": "too many concurrent requests"}, {"Retry-After": "1"})
        self._here += 1
        try:
            return await self._invoke(request)
        finally:
            self._here -= 1

    async def _invoke(self, request: Request) -> Response:
        from starlette.responses import Response

        content = kind_of(request.headers.get("content-type"))
        if content is None:
            return _json(415, {"error": f"the content type must be one of {', '.join(TYPES)}"})
        accept = kind_of(request.headers.get("accept"))
        if accept is None:
            return _json(406, {"error": f"the response type must be one of {', '.join(TYPES)}"})
        body = await self._body(request)
        if body is None:
            return _json(
                413, {"error": f"a request can have at most {self._limits.payload_bytes} bytes"}
            )
        try:
            async with self._turn:
                answers = await asyncio.to_thread(self._predicted, content, body)
        except Refused as refused:
            told = [each.as_dict() for each in refused.refusals]
            return _json(400, {"error": str(refused), "fields": told})
        except InputError as error:
            _log.warning("%s", error.what)
            return _json(400, {"error": error.what})
        return Response(written(accept, answers), 200, None, accept)

    def _predicted(self, content: str, body: bytes) -> list[Any]:
        return self._artefact.predict(table(content, body, self._artefact.fields))

    async def _body(self, request: Request) -> bytes | None:
        """The body; None where it is longer than is taken."""
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > self._limits.payload_bytes:
                return None
            parts.append(part)
        return b"".join(parts)


def kind_of(header: str | None) -> str | None:
    """The first type of the header that is ours; JSON where nothing is requested."""
    for each in (header or JSON).split(","):
        kind = each.partition(";")[0].strip().lower()
        if kind in ("*/*", "application/*"):
            return JSON
        if (found := _ALIASES.get(kind, kind)) in TYPES:
            return found
    return None


def limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Limits as SageMaker tells them to a batch job's container.

    Raises:
        InputError: a number is none.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return Limits(
        payload_bytes=_number(environment, "SAGEMAKER_MAX_PAYLOAD_IN_MB", PAYLOAD_MB) << 20,
        at_once=_number(environment, "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", cores),
    )


def _number(environment: Mapping[str, str], name: str, plain: int) -> int:
    text = environment.get(name) or str(plain)
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{name} is '{text}'", hint=f"a whole number such as {plain}")
    return int(text)


def _json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Response:
    from starlette.responses import Response

    return Response(json.dumps(document).encode(), status, headers, JSON)
