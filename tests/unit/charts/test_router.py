"""The router of notebooks, in front of small servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mlops_infra import places
from tests.unit.charts.files import loaded

_FILE = places.project() / "charts" / "notebooks" / "files" / "router.py"


router = loaded(_FILE)
Talk = Callable[[int], Awaitable[None]]


async def _backend(name: bytes) -> tuple[asyncio.Server, str, list[bytes]]:
    """Answers every request with its own name; after a WebSocket's head it echoes."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head)
        if b"Upgrade: websocket" in head:
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            while chunk := await reader.read(100):
                writer.write(chunk)
                await writer.drain()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + name)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


def _with_routes(routes: dict[str, str], talk: Talk, connections: int = 10) -> None:
    async def run() -> None:
        one = router.Router(routes, connections)
        server = await asyncio.start_server(one.serve, "127.0.0.1", 0, limit=router.HEAD_BYTES)
        await talk(server.sockets[0].getsockname()[1])
        server.close()
        await asyncio.sleep(0.05)
        assert one.free == connections

    asyncio.run(run())


def test_each_person_is_led_to_their_own_server_and_a_connection_serves_one_request() -> None:
    async def run() -> None:
        kim, kims, heads = await _backend(b"kim")
        lee, lees, _ = await _backend(b"lee")
        one = router.Router({"/notebook/a/kim/": kims, "/notebook/a/lee/": lees}, 10)
        server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        keep = b"GET /notebook/a/%s/lab?x=1 HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"
        assert (await _ask(port, keep % b"kim")).endswith(b"\r\n\r\nkim")
        # a second request on the same connection is not answered by anybody else's server
        both = await _ask(port, keep % b"kim" + keep % b"lee")
        assert both.count(b"HTTP/1.1") == 1
        assert both.endswith(b"kim")
        assert (await _ask(port, keep % b"lee")).endswith(b"lee")
        assert b"Connection: close" in heads[0]
        assert b"keep-alive" not in heads[0]
        for each in (kim, lee, server):
            each.close()
        await asyncio.sleep(0.05)

    asyncio.run(run())


def test_a_web_socket_stays_open_in_both_directions() -> None:
    async def run() -> None:
        kim, kims, heads = await _backend(b"kim")
        one = router.Router({"/notebook/a/kim/": kims}, 10)
        server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /notebook/a/kim/api/kernels/1/channels HTTP/1.1\r\n"
            b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert b"101" in await reader.readuntil(b"\r\n\r\n")
        for word in (b"one", b"two"):
            writer.write(word)
            assert await reader.readexactly(3) == word
        assert b"Connection: Upgrade" in heads[0]
        writer.close()
        await writer.wait_closed()
        kim.close()
        server.close()
        await asyncio.sleep(0.05)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"200"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /notebook/a/ghost/ HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /notebook/a/kim/../lee/ HTTP/1.1\r\n\r\n", b"502"),
        (b"GET /notebook/a/kim?token=t HTTP/1.1\r\n\r\n", b"302"),
        (b"GET /notebook/a/kim/ HTTP/1.1\r\n\r\n", b"502"),
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"431"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else value,
)
def test_what_leads_nowhere_is_answered_at_once(request_: bytes, status: bytes) -> None:
    async def talk(port: int) -> None:
        answer = await _ask(port, request_)
        assert answer.split(b" ")[1] == status
        if status == b"302":
            assert b"Location: /notebook/a/kim/?token=t\r\n" in answer

    # nobody listens on port 1
    _with_routes({"/notebook/a/kim/": "127.0.0.1:1"}, talk)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Host: nb.example\r\nOrigin: http://evil.example", b"403"),
        (b"Host: nb.example\r\nOrigin: http://nb.example.evil.example", b"403"),
        (b"Host: nb.example\r\nOrigin: http://nb.example:81", b"403"),
        (b"Host: nb.example\r\nOrigin: null", b"403"),
        (b"Host: nb.example\r\nOrigin: http://nb.example\r\norigin: http://evil.example", b"403"),
        (b"Host: nb.example\r\nOrigin: http://[", b"403"),
        # nobody listens on port 1: led there is 502
        (b"Host: nb.example:80\r\nOrigin: http://NB.example", b"502"),
        (b"Host: nb.example\r\nOrigin: https://nb.example:443", b"502"),
        (b"Host: inner\r\nX-Forwarded-Host: nb.example\r\nOrigin: https://nb.example", b"502"),
        (b"Host: nb.example", b"502"),
    ],
)
def test_a_web_socket_is_opened_for_pages_of_the_own_name_alone(
    headers: bytes, status: bytes
) -> None:
    async def talk(port: int) -> None:
        path = b"GET /notebook/a/kim/api/kernels/1/channels HTTP/1.1\r\n"
        upgrade = b"\r\nConnection: Upgrade\r\nUPGRADE: websocket\r\n\r\n"
        answer = await _ask(port, path + headers + upgrade)
        assert answer.split(b" ")[1] == status

    _with_routes({"/notebook/a/kim/": "127.0.0.1:1"}, talk)


def test_a_flood_is_turned_away_and_leaves_nothing_taken() -> None:
    async def talk(port: int) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert b"503" in await _ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")
        for _, writer in silent:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert b"200" in await _ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.05)

    _with_routes({}, talk, connections=2)
