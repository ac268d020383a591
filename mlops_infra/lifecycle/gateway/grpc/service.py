"""The gateway by gRPC: `inference.GRPCInferenceService` beside HTTP, in the same event loop.

Metadata of a call is what headers and path are by HTTP: `authorization: Bearer …`, `x-tenant`, and
`x-request-key` where wanted. The answer's metadata carry prediction id, version and role.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from mlops_infra import __version__
from mlops_infra.lifecycle.gateway.core.answering import Given, outward
from mlops_infra.lifecycle.gateway.core.checking import Refused
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.table import Loaded
from mlops_infra.lifecycle.gateway.grpc.messages import METHODS, SERVICE, messages
from mlops_infra.lifecycle.gateway.grpc.tensors import document_of, response_of

if TYPE_CHECKING:
    import grpc


TENANT, FIELDS = "x-tenant", "x-refused-fields-bin"
"""The second is in the trailing metadata of a refusal: field, row, value and reason as JSON."""
_MOST_FIELDS = 4096
"""Bytes of it: gRPC takes 8 KiB of metadata in all."""


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

    def _handler(self) -> grpc.GenericRpcHandler:
        import grpc

        made = messages()
        does: dict[str, Callable[[Any, Any], Awaitable[Any]]] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._about,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._infer,
        }
        methods = {
            name: grpc.unary_unary_rpc_method_handler(
                does[name],
                request_deserializer=made[f"{name}Request"].FromString,
                response_serializer=made[f"{name}Response"].SerializeToString,
            )
            for name in METHODS
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _live(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerLiveResponse"](live=True)

    async def _ready(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerReadyResponse"](ready=self._gateway.table.loaded)

    async def _about(self, asked: Any, context: Any) -> Any:  # noqa: ARG002 - gRPC's form
        return messages()["ServerMetadataResponse"](name="mlops-infra", version=__version__)

    async def _model_ready(self, asked: Any, context: Any) -> Any:
        loaded = await self._loaded(asked.name, asked.version, context)
        return messages()["ModelReadyResponse"](ready=not loaded.champion.breaker.open)

    async def _model_metadata(self, asked: Any, context: Any) -> Any:
        loaded = await self._loaded(asked.name, asked.version, context)
        route = loaded.route
        told = messages()["ModelMetadataResponse"](name=route.model, platform="mlops-infra")
        told.versions.extend(t.version for t in (route.champion, route.challenger) if t)
        for field in loaded.champion.fields:
            # the widest that carries it; a column has one value in each row
            datatype = max(field.datatypes, key=_width, default="")
            told.inputs.add(name=field.name, datatype=datatype, shape=field.shape or (-1, 1))
        return told

    async def _infer(self, asked: Any, context: Any) -> Any:
        gateway = self._gateway
        loaded = await self._loaded(asked.model_name, asked.model_version, context)
        tenant, model = loaded.route.tenant, loaded.route.model
        with gateway.turn() as admitted:
            if not admitted:
                gateway.metrics.refused.labels(tenant, model, "busy").inc()
                await _abort(context, "RESOURCE_EXHAUSTED", "too many concurrent requests")
            try:
                document = document_of(asked)
                body = _body(document)
                key = gateway.key(_metadata(context).get("x-request-key"))
                given = await gateway.answering.answer(loaded, document, body, key)
            except Refused as refused:
                gateway.metrics.refused.labels(tenant, model, "input").inc()
                await _refuse(context, refused)
        return await _answered(given, model, context, raw=bool(asked.raw_input_contents))

    async def _loaded(self, model: str, version: str, context: Any) -> Loaded:
        metadata = _metadata(context)
        tenant = metadata.get(TENANT, "")
        if not self._gateway.tokens.admits(tenant, metadata.get("authorization")):
            told = f"metadata {TENANT} and authorization: Bearer … must have a tenant and its token"
            await _abort(context, "UNAUTHENTICATED", told)
        loaded = self._gateway.table.get(tenant, model)
        if loaded is None:
            await _abort(context, "NOT_FOUND", f"tenant {tenant} serves no model {model}")
        if version:
            told = "the gateway chooses the version: omit it"
            await _abort(context, "INVALID_ARGUMENT", told)
        return loaded


async def _answered(given: Given, model: str, context: Any, *, raw: bool) -> Any:
    version = given.served.target.version
    await context.send_initial_metadata(
        (
            ("x-prediction-id", given.id),
            ("x-model-version", version),
            ("x-model-role", given.role),
        )
    )
    if given.answer.document is None:
        status = _STATUS.get(outward(given.answer), "INTERNAL")
        await _abort(context, status, given.answer.error or "no answer")
    told = {**given.answer.document, "model_name": model, "model_version": version}
    told["id"] = given.request_id or given.id
    try:
        return response_of(told, raw=raw)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        await _abort(context, "INTERNAL", f"the model's response violates the protocol: {error}")


_STATUS = {400: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 404: "NOT_FOUND"} | {
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _body(document: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as error:
        from mlops_infra.lifecycle.gateway.core.fields import Refusal

        raise Refused([Refusal("inputs", "NaN and Infinity are not numbers")]) from error


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

    await context.abort(grpc.StatusCode[code], told, trailing)
    raise AssertionError("abort() raises")


def _width(datatype: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, datatype))
    return int(digits or 0), datatype
