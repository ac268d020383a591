"""Failures in the protocol's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage

from mlops_infra.kubeprovider import protos

_DETAILS = "grpc-status-details-bin"


class UnreadyError(Exception):
    """A resource that exists but is not ready, as messages: the engine records it so."""

    def __init__(
        self, object_id: str, reasons: Sequence[str], properties: Any, inputs: Any
    ) -> None:
        super().__init__(object_id)
        self.object_id = object_id
        self.reasons = tuple(reasons)
        self.properties = properties
        self.inputs = inputs


class _Status(grpc.Status):  # type: ignore[misc]  # grpc carries no types
    def __init__(self, message: str, details: bytes) -> None:
        self.code = grpc.StatusCode.UNKNOWN
        self.details = message
        self.trailing_metadata = ((_DETAILS, details),)


def abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    """End the call with one message."""
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort raises")


def abort_unready(
    context: grpc.ServicerContext, error: UnreadyError, reasons: Sequence[str]
) -> NoReturn:
    """End the call with an object that exists, and why it is not ready."""
    detail = protos.provider.ErrorResourceInitFailed(
        id=error.object_id, properties=error.properties, reasons=list(reasons), inputs=error.inputs
    )
    packed = AnyMessage()
    packed.Pack(detail)
    message = reasons[0] if reasons else "not ready"
    status = protos.status.Status(
        code=grpc.StatusCode.UNKNOWN.value[0], message=message, details=[packed]
    )
    context.abort_with_status(_Status(message, status.SerializeToString()))
    raise AssertionError("abort raises")
