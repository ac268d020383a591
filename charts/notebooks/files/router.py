"""Leads /notebook/<tenant>/<name>/… to that person's JupyterLab.

One connection carries one request: the answer ends it, unless it became a WebSocket. So a
connection never serves two people, and nothing but the head of a request is ever read here. A
WebSocket is opened for pages of the router's own name alone: browsers let any page ask for one, and
send the person's cookies along.

Usage: router.py ROUTES, a JSON file of path prefixes and addresses (host:port).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlsplit

HEAD_BYTES = 65536
HEAD_SECONDS = 30
CONNECT_SECONDS = 10
LINGER_SECONDS = 1
CHUNK = 65536
_END = b"\r\n\r\n"
_PORTS = {"http": 80, "https": 443}
_REASONS = {
    200: "OK",
    302: "Found",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class Router:
    """Takes connections and leads each to the address that its path belongs to."""

    def __init__(self, routes: dict[str, str], connections: int) -> None:
        self.routes = routes
        self.free = connections

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its last."""
        full = self.free <= 0
        self.free -= 1
        try:
            if full:
                sorry = "too many connections: try again in a moment\n"
                await _answer(reader, writer, 503, sorry)
            else:
                await self._request(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the browser has gone, or never said anything
        finally:
            self.free += 1
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(_END), HEAD_SECONDS)
        except asyncio.LimitOverrunError:
            await _answer(reader, writer, 431, "the head of the request is too long\n")
            return
        line, _, rest = head.partition(b"\r\n")
        words = line.split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            await _answer(reader, writer, 400, "this is no HTTP/1.1 request\n")
            return
        path = words[1].partition(b"?")[0].decode("latin-1")
        if path == "/healthz":
            await _answer(reader, writer, 200, "ok\n")
        elif f"{path}/" in self.routes:
            query = words[1].decode("latin-1").removeprefix(path)
            await _answer(reader, writer, 302, "", f"Location: {path}/{query}\r\n")
        elif (address := self._address(path)) is None:
            await _answer(reader, writer, 404, "notebooks are at /notebook/<tenant>/<name>/\n")
        elif _is_foreign(rest):
            await _answer(reader, writer, 403, "this page is of another site\n")
        else:
            await self._lead(address, line + b"\r\n" + _once(rest), reader, writer)

    def _address(self, path: str) -> str | None:
        prefix = "/".join(path.split("/")[:4]) + "/"
        return self.routes.get(prefix) if path.startswith(prefix) else None

    async def _lead(
        self,
        address: str,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        host, _, port = address.rpartition(":")
        try:
            there = asyncio.open_connection(host, int(port))
            from_there, to_there = await asyncio.wait_for(there, CONNECT_SECONDS)
        except (OSError, TimeoutError):
            await _answer(reader, writer, 502, "no answer: this notebook may be starting\n")
            return
        to_there.write(head)
        asking = asyncio.create_task(_copy(reader, to_there))
        try:
            await _copy(from_there, writer)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            to_there.close()


def _is_foreign(head: bytes) -> bool:
    """Whether the headers ask for a WebSocket on behalf of another site's page."""
    found: dict[str, list[str]] = {}
    for line in head.removesuffix(_END).split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        found.setdefault(name.strip().lower(), []).append(value.strip())
    if "upgrade" not in found:
        return False
    # an edge before this router may call it by another name, and passes on what the browser used
    hosts = [*found.get("host", []), *found.get("x-forwarded-host", [])]
    return not all(
        any(_is_of(origin, host) for host in hosts) for origin in found.get("origin", [])
    )


def _is_of(origin: str, host: str) -> bool:
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        ports = page.port, own.port
    except ValueError:
        return False
    usual = _PORTS.get(page.scheme)
    return page.hostname == own.hostname and (ports[0] or usual) == (ports[1] or usual)


def _once(head: bytes) -> bytes:
    """The headers with `Connection: close`, unless they ask for a WebSocket."""
    lines = head.removesuffix(_END).split(b"\r\n")
    if any(line[:8].lower() == b"upgrade:" for line in lines):
        return head
    kept = [line for line in lines if line[:11].lower() != b"connection:"]
    return b"\r\n".join([*kept, b"Connection: close"]) + _END


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(CHUNK):
        target.write(chunk)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


async def _answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    status: int,
    text: str,
    more: str = "",
) -> None:
    body = text.encode()
    """Answer and end the connection."""
    writer.write(
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n{more}Content-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    writer.write_eof()
    # Closing while the request is still coming in would throw the answer away on its way.
    try:
        await asyncio.wait_for(_rest(reader), LINGER_SECONDS)
    except TimeoutError:
        return


async def _rest(reader: asyncio.StreamReader) -> None:
    while await reader.read(CHUNK):
        pass


async def run(routes: dict[str, str], host: str, port: int, connections: int) -> None:
    """Serve until SIGTERM."""
    router = Router(routes, connections)
    server = await asyncio.start_server(router.serve, host, port, limit=HEAD_BYTES)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    known = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    asyncio.run(run(known, "0.0.0.0", 8080, int(os.environ["CONNECTIONS"])))  # noqa: S104
