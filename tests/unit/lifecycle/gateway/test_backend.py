"""The gateway's client of model servers, with a server on loopback that closes what was kept."""

from __future__ import annotations

import asyncio

from mlops_infra.lifecycle.gateway.core.backend import Answer, Backends
from mlops_infra.lifecycle.gateway.core.breaker import Breaker
from mlops_infra.lifecycle.gateway.core.route import Target
from mlops_infra.lifecycle.gateway.core.table import Experience, Served

LARGE = b"x" * (1 << 20)
"""More than the kernel takes at once: the connection is lost while it is sent."""
GOOD = b'{"outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[1]}]}'


class FakeServer:
    """Answers 500 to the body `bad`; then it resets the connection as soon as it is used again."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broken = False
        while head := await reader.readuntil(b"\r\n\r\n"):
            if broken:
                writer.transport.abort()
                return
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            broken = await reader.readexactly(length) == b"bad"
            status, body = (b"500 Bad", b"oops") if broken else (b"200 OK", GOOD)
            kind = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            writer.write(b"HTTP/1.1 " + status + b"\r\n" + kind + body)
            await writer.drain()


def test_a_connection_that_the_server_closed_costs_the_next_client_no_answer() -> None:
    async def run() -> list[Answer]:
        server = await asyncio.start_server(FakeServer().serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        served = Served(
            Target("1", f"http://127.0.0.1:{port}", "s", "m"), (), Breaker(), Experience()
        )
        backends = Backends()
        await backends.start()
        bodies = (LARGE, b"bad", LARGE, b"bad", b"bad", b"good")
        answers = [await backends.infer(served, body, 5.0) for body in bodies]
        await backends.close()
        server.close()
        return answers

    assert [each.status for each in asyncio.run(run())] == [200, 500, 200, 500, 500, 200]
