"""Asks model servers, over connections that are kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.gateway.core.table import Served

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 2.0
CONNECTIONS = 256
"""Open to all servers together."""
KEEP_SECONDS = 20.0
MOST_BYTES = 64 << 20
"""Of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said, or why it said nothing."""

    status: int
    """HTTP status; 0 where there was none."""
    body: bytes
    document: dict[str, Any] | None
    """The body, read; None where it is not an answer of the protocol."""
    seconds: float
    error: str | None = None
    timed_out: bool = False
    """Whether the server gave no answer within the route's time."""

    @property
    def good(self) -> bool:
        """Whether it is an answer that may be given on."""
        return self.status == HTTPStatus.OK and self.document is not None

    @property
    def own_fault(self) -> bool:
        """Whether the server itself failed, and not the request."""
        return not self.good and not 400 <= self.status < 500


class Backends:
    """One pool of connections to all model servers."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Make the pool; within the loop that uses it."""
        import aiohttp

        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS, keepalive_timeout=KEEP_SECONDS, ttl_dns_cache=10
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            # The tenants' models stand in the cluster: no proxy, no cookies, no redirects.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def infer(self, served: Served, body: bytes, seconds: float) -> Answer:
        """Ask one server; never raises for what the server or the network does."""
        if not served.breaker.admit():
            why = f"{served.target.server} is paused after repeated failures"
            return Answer(0, b"", None, 0.0, why)
        try:
            answer = await self._asked(served, body, seconds)
        except asyncio.CancelledError:
            served.breaker.forgotten()
            raise
        if answer.own_fault:
            served.breaker.failed()
        else:
            served.breaker.succeeded()
        return answer

    async def _asked(self, served: Served, body: bytes, seconds: float) -> Answer:
        import aiohttp

        # The loop's own clock stands still while it works.
        started = perf_counter()
        until = asyncio.get_running_loop().time() + seconds
        url = f"{served.target.url}/v2/models/{served.target.name}/infer"
        for again in (True, False):
            try:
                async with asyncio.timeout_at(until):
                    status, content = await self._once(url, body)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
                # A kept connection that the server closed meanwhile. Asking a model twice is safe.
                if again:
                    continue
                return _silent(perf_counter() - started, f"connection lost: {error}")
            except TimeoutError:
                why = f"no answer within {seconds:g} s"
                return _silent(perf_counter() - started, why, timed_out=True)
            except (aiohttp.ClientError, OSError) as error:
                return _silent(perf_counter() - started, f"cannot be reached: {error}")
            return _read(status, content, perf_counter() - started)
        raise AssertionError("both tries returned")

    async def _once(self, url: str, body: bytes) -> tuple[int, bytes]:
        assert self._session is not None, "start() comes first"  # noqa: S101
        headers = {"Content-Type": "application/json"}
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            content = await response.content.read(MOST_BYTES + 1)
            while len(content) <= MOST_BYTES and not response.content.at_eof():
                content += await response.content.read(MOST_BYTES + 1 - len(content))
            return response.status, content


def _read(status: int, content: bytes, seconds: float) -> Answer:
    if len(content) > MOST_BYTES:
        return Answer(status, b"", None, seconds, f"the answer has more than {MOST_BYTES} bytes")
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if status != HTTPStatus.OK:
        told = document.get("error") if isinstance(document, dict) else None
        return Answer(status, content, None, seconds, str(told or f"HTTP {status}")[:500])
    if not isinstance(document, dict) or not isinstance(document.get("outputs"), list):
        return Answer(status, content, None, seconds, "the answer has no outputs")
    return Answer(status, content, document, seconds)


def _silent(seconds: float, why: str, *, timed_out: bool = False) -> Answer:
    return Answer(0, b"", None, seconds, why[:500], timed_out)
