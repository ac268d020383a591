"""The gateway by gRPC: `inference.GRPCInferenceService` beside HTTP, in the same event loop.

Metadata of a call is what headers and path are by HTTP: `authorization: Bearer …`, `x-tenant`, and
`x-request-key` where wanted. The answer's metadata carry prediction id, version and role.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from mlops_infra.lifecycle.gateway.core import description
from mlops_infra.lifecycle.gateway.core.answering import Given, outward
from mlops_infra.lifecycle.gateway.core.checking import Refused
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.incoming import of_document
from mlops_infra.lifecycle.gateway.core.table import Loaded, Served
from mlops_infra.lifecycle.gateway.core.texts import printable, shown
from mlops_infra.lifecycle.gateway.grpc.messages import METHODS, SERVICE, messages
from mlops_infra.lifecycle.gateway.grpc.tensors import document_of, response_of

if TYPE_CHECKING:
    import grpc


TENANT, FIELDS = "x-tenant", "x-refused-fields-bin"
"""The second is in the trailing metadata of a refusal: field, row, value and reason as JSON."""
_MOST_FIELDS = 4096
"""Bytes of it: gRPC takes 8 KiB of metadata in all."""
_MOST_TEXT = 1000
"""Characters of an error, for the same reason."""
_log = logging.getLogger(__name__)
Handler = Callable[[Any, Any], Awaitable[Any]]


class GrpcService:
    """The gRPC side of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._server: Any = None

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            RuntimeError: the port is taken.
        """
        import grpc.aio

        most = self._gateway.settings.body_bytes
        self._server = grpc.aio.server(
            options=[("grpc.max_receive_message_length", most), ("grpc.so_reuseport", 0)]
        )
        self._server.add_generic_rpc_handlers((self._handler(),))
        self._server.add_insecure_port(f"{host}:{port}")
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """Take no more calls, and finish those under way within `grace` seconds."""
        if self._server is not None:
            await self._server.stop(grace)

    @cached_property
    def handlers(self) -> dict[str, Handler]:
        """What answers each method: bytes of a request to the message of an answer."""
        does: dict[str, Handler] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._about,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
        }
        # Read here: gRPC itself tells a request that cannot be read as our failure.
        return {name: self._guarded(name, does[name]) for name in METHODS}

    def _handler(self) -> grpc.GenericRpcHandler:
        import grpc

        made = messages()
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                handler, response_serializer=made[f"{name}Response"].SerializeToString
            )
            for name, handler in self.handlers.items()
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _guarded(self, name: str, handler: Handler) -> Handler:
        """The handler with the message read; what nobody expects is counted and told as ours."""
        from google.protobuf.message import DecodeError
        from grpc.aio import AbortError

        kind = messages()[f"{name}Request"]

        async def handle(body: bytes, context: Any) -> Any:
            try:
                asked = kind.FromString(body)
            except DecodeError as error:
                await _abort(context, "INVALID_ARGUMENT", f"not a {name}Request: {error}")
            try:
                return await handler(asked, context)
            except AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - of this call alone
                self._gateway.metrics.item_errors.labels("grpc").inc()
                _log.exception("a call of %s failed", name)
                told = f"the gateway failed on this request: {type(error).__name__}"
                await _abort(context, "INTERNAL", told)

        return handle

    async def _live(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerLiveResponse"](live=not self._gateway.workers.look())

    async def _ready(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerReadyResponse"](ready=self._gateway.table.loaded)

    async def _about(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerMetadataResponse"](**description.SERVER)

    async def _model_ready(self, asked: Any, context: Any) -> Any:
        loaded, served = await self._loaded(asked.name, asked.version, context)
        tried = asked.version or not loaded.route.trial
        return messages()["ModelReadyResponse"](ready=bool(tried and not served.breaker.open))

    async def _model_metadata(self, asked: Any, context: Any) -> Any:
        loaded, served = await self._loaded(asked.name, asked.version, context)
        told = messages()["ModelMetadataResponse"](
            name=loaded.route.model, platform=description.PLATFORM, versions=loaded.versions
        )
        for each in description.inputs(served):
            told.inputs.add(**{k: v for k, v in each.items() if k != "parameters"})
        for each in description.outputs(served):
            told.outputs.add(**each)
        return told

    async def _infer(self, asked: Any, context: Any) -> Any:
        gateway = self._gateway
        loaded, served = await self._loaded(asked.model_name, asked.model_version, context)
        tenant, model = loaded.route.tenant, loaded.route.model
        if loaded.route.trial and not asked.model_version:
            told = "its first version has not answered a request yet"
            await _abort(context, "UNAVAILABLE", told)
        with gateway.turn() as admitted:
            if not admitted:
                gateway.metrics.refused.labels(tenant, model, "busy").inc()
                await _abort(context, "RESOURCE_EXHAUSTED", "too many concurrent requests")
            try:
                incoming = of_document(document_of(asked))
                key = gateway.key(_metadata(context).get("x-request-key"))
                named = served if asked.model_version else None
                given = await gateway.answering.answer(loaded, incoming, key, named)
                document = given.document(model)
            except Refused as refused:
                gateway.metrics.refused.labels(tenant, model, "input").inc()
                await _refuse(context, refused)
        return await _answered(given, document, context, raw=bool(asked.raw_input_contents))

    async def _loaded(self, model: str, version: str, context: Any) -> tuple[Loaded, Served]:
        metadata = _metadata(context)
        tenant = metadata.get(TENANT, "")
        if not self._gateway.tokens.admits(tenant, metadata.get("authorization")):
            told = f"metadata {TENANT} and authorization: Bearer … must have a tenant and its token"
            await _abort(context, "UNAUTHENTICATED", told)
        loaded = self._gateway.table.get(tenant, model)
        if loaded is None:
            await _abort(context, "NOT_FOUND", f"tenant {tenant} serves no model {shown(model)}")
        served = loaded.named(version)
        if served is None:
            known = ", ".join(loaded.versions)
            told = f"{model} does not serve version {shown(version)}; it serves {known}"
            await _abort(context, "NOT_FOUND", told)
        return loaded, served


async def _answered(given: Given, document: Any, context: Any, *, raw: bool) -> Any:
    await context.send_initial_metadata(
        (
            ("x-prediction-id", given.id),
            ("x-model-version", given.served.target.version),
            ("x-model-role", given.role),
        )
    )
    if document is None:
        status = _STATUS.get(outward(given.answer), "INTERNAL")
        await _abort(context, status, given.answer.error or "no answer")
    try:
        return response_of(document, raw=raw)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        await _abort(context, "INTERNAL", f"the model's response violates the protocol: {error}")


_STATUS = {400: "INVALID_ARGUMENT", 413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT"} | {
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _metadata(context: Any) -> dict[str, str]:
    given = context.invocation_metadata() or ()
    return {key: value for key, value in given if isinstance(value, str)}


async def _refuse(context: Any, refused: Refused) -> NoReturn:
    fields = json.dumps([each.as_dict() for each in refused.refusals], default=str).encode()
    trailing = ((FIELDS, fields),) if len(fields) <= _MOST_FIELDS else ()
    await _abort(context, "INVALID_ARGUMENT", str(refused), trailing)


async def _abort(
    context: Any, code: str, told: str, trailing: tuple[tuple[str, bytes], ...] = ()
) -> NoReturn:
    import grpc

    await context.abort(grpc.StatusCode[code], printable(told, _MOST_TEXT), trailing)
    raise AssertionError("abort() raises")
