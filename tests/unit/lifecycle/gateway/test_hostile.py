"""A seeded storm of hostile requests: none is answered as a failure of ours, and none costs others.

A slice of it here; `make storm` sends all of them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import pytest

from tests.unit.lifecycle.gateway.hostile import Http, made
from tests.unit.lifecycle.gateway.in_process import Answer, InProcess, in_process, request, run

STORM = "MLOPS_INFRA_STORM" in os.environ
REQUESTS = 100_000 if STORM else 3_000
GOOD_EVERY = 20
CODES = ("INVALID_ARGUMENT", "NOT_FOUND", "UNAUTHENTICATED")


@pytest.mark.parametrize("seed", [14, 15] if STORM else [14])
def test_no_hostile_request_is_our_failure_and_good_ones_are_answered_throughout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    site = in_process(tmp_path, monkeypatch)
    site.models.keeps = False
    random = Random(seed)  # noqa: S311

    async def storm() -> int:
        refused = 0
        for number in range(REQUESTS):
            refused += await _sent(site, random, number)
            if number % GOOD_EVERY == 0:
                good = await site.ask(request())
                assert good.status == 200, f"after request {number}: {good.body!r}"
        return refused

    refused = run(storm())
    assert refused > REQUESTS / 2, "they are hostile"
    assert site.figure("errors_total") == 0, "no model server was asked what it cannot answer"
    assert site.figure("item_errors_total") == 0


async def _sent(site: InProcess, random: Random, number: int) -> bool:
    """Send one; whether it was refused."""
    asked = made(random)
    if isinstance(asked, Http):
        answer = await site.ask(
            asked.body,
            asked.path,
            method=asked.method,
            token=asked.token,
            headers=asked.headers,
        )
        _judge(answer, asked, number)
        return answer.status >= 400
    message, context = await site.call(asked.method, asked.body, *asked.metadata)
    if message is None:
        assert context.code is not None
        assert context.code.name in CODES, f"request {number}: {context.details} {asked}"
        assert context.details.isprintable()
        assert len(context.details) <= 1000
    return message is None


def _judge(answer: Answer, asked: Http, number: int) -> None:
    told = f"request {number}: {answer.status} {answer.body[:200]!r} {asked}"
    assert answer.status < 500, told
    assert all(text.isprintable() for text in answer.headers.values()), told
    length = answer.headers.get("inference-header-content-length")
    if asked.method == "HEAD" or "content-encoding" in answer.headers:
        return
    if answer.status >= 400:
        assert answer.document["error"].isprintable(), told
    elif answer.headers["content-type"].startswith("application/json"):
        answer.body.decode()
        assert answer.document is not None, told
    elif length is not None:
        assert json.loads(answer.body[: int(length)])["outputs"], told
