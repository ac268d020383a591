"""What the request log tells of models: by prediction, and added up for a judgement."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.gateway.core.request_log import RequestLog
from mlops_infra.lifecycle.gateway.core.texts import name_fault, shown
from mlops_infra.lifecycle.gateway.http.answers import error_answer, json_answer
from mlops_infra.lifecycle.services.database import connect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

FLUSH_SECONDS = 2.0
_OBSERVED = """
SELECT version, role, count(*) AS requests,
  count(*) FILTER (WHERE status <> 200 OR response IS NULL AND error IS NOT NULL) AS errors,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms) AS p50_ms,
  percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) AS p99_ms,
  avg(disagreement) AS disagreement
FROM prediction WHERE tenant = %s AND model = %s AND at >= %s
GROUP BY version, role ORDER BY version, role
"""
_PREDICTION = """
SELECT prediction_id::text, role, tenant, model, version, server, at, latency_ms, status, request,
  response, error, disagreement, request_key, request_id
FROM prediction WHERE prediction_id = %s AND tenant = %s ORDER BY role
"""


class LogReader:
    """Answers questions about the log; only this process's own queue is flushed before."""

    def __init__(self, conninfo: str, log: RequestLog | None) -> None:
        self._conninfo = conninfo
        self._log = log

    async def observed(self, request: Request) -> Response:
        """`GET …/{model}/observed?since=TIME`: requests, errors and latency by version and role."""
        since = request.query_params.get("since", "")
        try:
            start = datetime.fromisoformat(since)
        except ValueError:
            return error_answer(400, f"since={shown(since)} is not an ISO 8601 time")
        if start.tzinfo is None:
            return error_answer(400, f"since={shown(since)} has no time zone")
        try:
            start = start.astimezone(UTC)
        except OverflowError:
            return error_answer(400, f"since={shown(since)} is out of range")
        path = request.path_params
        if name_fault(path["model"]):
            return json_answer(200, {"observed": []})
        return await self._query("observed", _OBSERVED, (path["tenant"], path["model"], start))

    async def prediction(self, request: Request) -> Response:
        """`GET /{tenant}/predictions/{id}`: one prediction with all models that were asked."""
        path = request.path_params
        try:
            number = UUID(path["id"])
        except ValueError:
            return error_answer(400, f"{shown(path['id'])} is not a prediction id")
        missing = f"no prediction {number} is in the log"
        return await self._query("asked", _PREDICTION, (number, path["tenant"]), missing=missing)

    async def _query(
        self, name: str, sql: str, values: tuple[Any, ...], *, missing: str | None = None
    ) -> Response:
        """The rows under `name`; a 404 with the text `missing`, where given, without any."""
        if self._log is None:
            return error_answer(404, "this gateway has no request log")
        try:
            rows = await asyncio.to_thread(self._rows, sql, values)
        except OperationFailed as error:
            return error_answer(503, error.what)
        if missing is not None and not rows:
            return error_answer(404, missing)
        return json_answer(200, {name: rows})

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        if self._log is not None:
            self._log.flushed(FLUSH_SECONDS)
        with connect(self._conninfo) as connection:
            cursor = connection.execute(sql.encode(), values)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]
