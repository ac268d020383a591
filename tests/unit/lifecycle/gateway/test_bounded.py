"""No request fills the gateway's memory with what is not its body."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from mlops_infra.lifecycle.gateway.http.bounded import BoundedProtocol

LARGE = 32 << 20
"""Bytes that a client tries to send; no limit of the connection's buffers comes near."""
CHUNK = b"400\r\n" + b"x" * 1024 + b"\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def _app(_scope: Any, receive: Any, send: Any) -> None:
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message.get("more_body"):
            break
    headers = [(b"connection", b"close"), (b"x-size", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})


def _endless(piece: bytes) -> Iterator[bytes]:
    block = piece * (65536 // len(piece) + 1)
    return repeat(block, LARGE // len(block))


async def _asked(pieces: Iterator[bytes]) -> tuple[bytes, int]:
    """The answer, and how many bytes were taken before the connection ended."""
    config = uvicorn.Config(_app, lifespan="off")
    config.load()
    made = lambda: BoundedProtocol(config, ServerState(), {})  # noqa: E731
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = 0
    answer = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
        answer = await reader.read()
    except ConnectionError:
        pass
    writer.close()
    server.close()
    return answer, sent


@pytest.mark.parametrize(
    "pieces",
    [
        chain([HEAD + b"X: "], _endless(b"a")),
        chain([HEAD], _endless(b"X-A: aaaaaaaa\r\n")),
        chain([b"GET /"], _endless(b"a")),
        chain([CHUNKED, CHUNK, b"0\r\n"], _endless(b"X-A: aaaaaaaa\r\n")),
    ],
    ids=["a value", "many", "the path", "trailers"],
)
def test_endless_headers_are_cut_off(pieces: Iterator[bytes]) -> None:
    answer, sent = asyncio.run(_asked(pieces))
    assert sent < LARGE / 2
    assert b"200 OK" not in answer


@pytest.mark.parametrize("headers", [b"", b"X-A: " + b"a" * 8000 + b"\r\n"])
def test_a_large_body_passes_in_any_form(headers: bytes) -> None:
    whole = b"POST / HTTP/1.1\r\nHost: x\r\n" + headers + b"Content-Length: 4194304\r\n\r\n"
    answer, _ = asyncio.run(_asked(chain([whole], repeat(b"x" * 65536, 64))))
    assert answer.startswith(b"HTTP/1.1 200")
    small = b"10\r\n" + b"x" * 16 + b"\r\n"
    answer, _ = asyncio.run(_asked(chain([CHUNKED], repeat(small * 64, 4096), [b"0\r\n\r\n"])))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"x-size: 4194304\r\n" in answer
