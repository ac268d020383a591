"""Answers by HTTP: always JSON, always as everybody reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlops_infra.lifecycle.gateway.core.texts import printable

if TYPE_CHECKING:
    from starlette.responses import Response

JSON = "application/json"


def json_answer(
    status: int, document: object, headers: Mapping[str, str] | None = None
) -> Response:
    """A document of our own."""
    from starlette.responses import Response

    body = json.dumps(document, default=str, allow_nan=False, separators=(",", ":")).encode()
    return Response(body, status, headers, JSON)


def error_answer(status: int, told: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as the protocol writes it."""
    return json_answer(status, {"error": printable(told, 1000)}, headers)
