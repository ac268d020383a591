"""Lambda: checks a request and asks an endpoint; refuses with a reason what it must not see.

The body is one row, `{"hour": 7, ...}`, or `{"instances": [row, ...]}`.
"""

import base64
import json
import logging
import math
import os
from functools import lru_cache
from typing import Any

LOG = logging.getLogger()
LOG.setLevel(logging.INFO)
MOST_ROWS = 1_000
LARGEST = 5_000_000
"""Bytes; SageMaker takes 6 MB."""


class RefusedError(Exception):
    """The request is wrong; the texts say where."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@lru_cache(maxsize=1)
def _runtime() -> Any:
    import boto3
    from botocore.config import Config

    timeout = int(os.environ["TIMEOUT_SECONDS"])
    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    config = Config(connect_timeout=2, read_timeout=timeout, retries=retries)
    return boto3.client("sagemaker-runtime", config=config)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request of API Gateway (payload 2.0)."""
    del context
    try:
        rows = rows_of(event)
    except RefusedError as refused:
        return _refused([*refused.reasons])
    if problems := check(rows, json.loads(os.environ["FIELDS"])):
        return _refused(problems)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        told = _runtime().invoke_endpoint(
            EndpointName=os.environ["ENDPOINT"],
            ContentType="application/json",
            Accept="application/json",
            Body=json.dumps({"instances": rows}).encode(),
        )
        return _answer(200, json.loads(told["Body"].read()), told.get("InvokedProductionVariant"))
    except (BotoCoreError, ClientError, ValueError) as error:
        # the cause is for the log, not for a stranger
        LOG.warning("endpoint %s: %s", os.environ["ENDPOINT"], error)
        return _answer(502, {"error": "the model does not answer"})


def rows_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a request.

    Raises:
        RefusedError: it is no JSON, too large, or holds no rows.
    """
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", "replace")
    if len(body) > LARGEST:
        raise RefusedError(f"the body has more than {LARGEST} bytes")
    try:
        read = json.loads(body)
    except ValueError as error:
        raise RefusedError(f"the body is not valid JSON: {error}") from error
    rows = read.get("instances", [read]) if isinstance(read, dict) else read
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        raise RefusedError("the body is neither a row nor a list of rows")
    if len(rows) > MOST_ROWS:
        raise RefusedError(f"{len(rows)} rows, at most {MOST_ROWS} are allowed")
    return rows


def check(rows: list[dict[str, Any]], fields: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with rows; nothing is checked where no field is declared."""
    if not fields:
        return []
    found = []
    for index, row in enumerate(rows):
        where = f"row {index}: " if len(rows) > 1 else ""
        found += [f"{where}{name} is missing" for name in fields if name not in row]
        for name, value in row.items():
            if name not in fields:
                found.append(f"{where}{name} is not known")
            elif reason := _wrong(value, fields[name]):
                found.append(f"{where}{name} {reason}")
    return found[:20]


def _wrong(value: Any, bounds: dict[str, Any]) -> str | None:
    kind = bounds["type"]
    if not _is(value, kind):
        return f"is {json.dumps(value)[:40]}, not a {kind}"
    low, high, values = bounds.get("min"), bounds.get("max"), bounds.get("values")
    if kind in ("integer", "number"):
        if (low is not None and value < low) or (high is not None and value > high):
            return f"is {value}, must be from {low} to {high}"
    elif values and value not in values:
        return f"is {value[:40]!r}, must be one of {', '.join(values[:10])}"
    return None


def _is(value: Any, kind: str) -> bool:
    # in Python True is an integer too
    if isinstance(value, bool) or kind == "boolean":
        return isinstance(value, bool) and kind == "boolean"
    if kind == "integer":
        return isinstance(value, int)
    if kind == "number":
        return isinstance(value, (int, float)) and math.isfinite(value)
    return isinstance(value, str)


def _refused(reasons: list[str]) -> dict[str, Any]:
    return _answer(422, {"error": "the request is refused", "reasons": reasons})


def _answer(status: int, body: Any, variant: str | None = None) -> dict[str, Any]:
    headers = {"content-type": "application/json"} | ({"x-variant": variant} if variant else {})
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
