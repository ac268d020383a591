"""Inference by HTTP: the request's body read, and the answer written, as the client wants them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mlops_infra.lifecycle.gateway.core.answering import Given, outward
from mlops_infra.lifecycle.gateway.core.checking import Refused, refused
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.incoming import of_http
from mlops_infra.lifecycle.gateway.core.outgoing import written
from mlops_infra.lifecycle.gateway.core.table import Loaded, Served
from mlops_infra.lifecycle.gateway.core.texts import shown
from mlops_infra.lifecycle.gateway.http import encoding
from mlops_infra.lifecycle.gateway.http.answers import JSON, error_answer, json_answer
from mlops_infra.lifecycle.gateway.http.encoding import TooLong, UnknownEncoding

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

KEY_HEADER = "x-request-key"
ID_HEADER = "x-prediction-id"
LENGTH_HEADER = "Inference-Header-Content-Length"
_LARGE = 64 << 10
"""Bytes that are compressed in another thread."""


class Inference:
    """Answers requests for one model after another through one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def infer(self, request: Request, loaded: Loaded, named: Served | None) -> Response:
        """Answer a request for a model; `named` is the version that the client names."""
        from starlette.requests import ClientDisconnect

        route = loaded.route
        with self._gateway.turn() as admitted:
            if not admitted:
                self._refused(loaded, "busy")
                return error_answer(503, "too many concurrent requests", {"Retry-After": "1"})
            try:
                return await self._infer(request, loaded, named)
            except TooLong:
                self._refused(loaded, "too-long")
                most = self._gateway.settings.body_bytes
                return error_answer(413, f"a request can have at most {most} bytes")
            except UnknownEncoding as error:
                self._refused(loaded, "encoding")
                told = f"Content-Encoding {shown(str(error))} is not supported: gzip or deflate"
                return error_answer(415, told, {"Accept-Encoding": "gzip, deflate"})
            except Refused as error:
                self._refused(loaded, "input")
                told_fields = [each.as_dict() for each in error.refusals]
                return json_answer(400, {"error": str(error), "fields": told_fields})
            except ClientDisconnect:
                self._refused(loaded, "gone")
                return error_answer(400, f"the request for {route.model} ended early")

    def _refused(self, loaded: Loaded, reason: str) -> None:
        route = loaded.route
        self._gateway.metrics.refused.labels(route.tenant, route.model, reason).inc()

    async def _infer(self, request: Request, loaded: Loaded, named: Served | None) -> Response:
        headers = request.headers
        body = await self._body(request)
        if packing := headers.get("content-encoding"):
            try:
                body = encoding.unpacked(body, packing, self._gateway.settings.body_bytes)
            except ValueError as error:
                raise refused("request", str(error)) from error
        incoming = of_http(body, headers.get(LENGTH_HEADER))
        key = self._gateway.key(_text(headers.get(KEY_HEADER)))
        given = await self._gateway.answering.answer(loaded, incoming, key, named)
        return await _answer(given, loaded.route.model, headers.get("accept-encoding"))

    async def _body(self, request: Request) -> bytes:
        most = self._gateway.settings.body_bytes
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > most):
            raise TooLong
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise TooLong
            parts.append(part)
        return b"".join(parts)


def _text(header: str | None) -> str | None:
    """A header of UTF-8, which HTTP's own reading takes for Latin-1."""
    try:
        return header.encode("latin-1").decode() if header else None
    except UnicodeDecodeError:
        return header


async def _answer(given: Given, model: str, accepted: str | None) -> Response:
    from starlette.responses import Response

    answer = given.answer
    headers = {
        ID_HEADER: given.id,
        "x-model-version": given.served.target.version,
        "x-model-role": given.role,
    }
    document = given.document(model)
    if document is None:
        told = {"error": answer.error, "id": given.id}
        return json_answer(outward(answer), told, headers)
    try:
        body, json_length = written(document, given.request)
    except ValueError as error:
        told = {"error": f"the model's answer violates the protocol: {error}", "id": given.id}
        return json_answer(502, told, headers)
    kind = JSON
    if json_length is not None:
        kind = "application/octet-stream"
        headers[LENGTH_HEADER] = str(json_length)
    packing = encoding.preferred(accepted) if len(body) >= encoding.SMALLEST else None
    if packing:
        if len(body) < _LARGE:
            body = encoding.packed(body, packing)
        else:
            body = await asyncio.to_thread(encoding.packed, body, packing)
        headers |= {"Content-Encoding": packing, "Vary": "Accept-Encoding"}
    return Response(body, 200, headers, kind)
