"""Asks model servers, over connections that are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlops_infra.lifecycle.gateway.core import strict_json
from mlops_infra.lifecycle.gateway.core.sample import sample_of
from mlops_infra.lifecycle.gateway.core.table import Served
from mlops_infra.lifecycle.gateway.core.texts import printable

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 2.0
CONNECTIONS = 256
"""Open to all servers together."""
KEEP_SECONDS = 20.0
MOST_BYTES = 64 << 20
"""Of an answer."""
TRIES = 3
"""Of one request, while kept connections turn out to be closed."""
TRIAL_SECONDS = 2.0
"""In which a server must answer what it has answered before, or it is at fault."""
LARGEST_SAMPLE = 64 << 10
"""Bytes of a request that is kept for that."""
_REQUEST_FAULTS = frozenset({400, 411, 413, 415, 422})
"""Statuses by which a server says that the request is wrong. Others of the 4xx (404, 401, 429) are
of the way to it, which the client does not choose."""


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
        """Whether the server failed to answer; a request may still be the cause."""
        return not self.good and not self.refused

    @property
    def refused(self) -> bool:
        """Whether the server says that the request is wrong."""
        return self.status in _REQUEST_FAULTS


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
        if not answer.own_fault or await self._healthy(served, answer):
            served.breaker.succeeded()
        else:
            served.breaker.failed()
        if answer.good and served.experience.sample is None and len(body) <= LARGEST_SAMPLE:
            _learn(served, body, answer)
        return answer

    async def _healthy(self, served: Served, failure: Answer) -> bool:
        """Whether a failure that would open the circuit was the request's fault alone.

        A server may answer a request that it cannot digest as if it had failed itself. It is asked
        something that it can answer: nobody else is cut off for one client's requests.
        """
        silent = failure.status == 0 and not failure.timed_out
        if silent or not served.breaker.opens_next:
            return False
        sample = served.experience.sample or sample_of(served.fields)
        if sample is None:
            return False
        return (await self._asked(served, sample, TRIAL_SECONDS)).good

    async def _asked(self, served: Served, body: bytes, seconds: float) -> Answer:
        import aiohttp

        # The loop's own clock stands still while it works.
        started = perf_counter()
        until = asyncio.get_running_loop().time() + seconds
        url = f"{served.target.url}/v2/models/{served.target.name}/infer"
        for left in reversed(range(TRIES)):
            try:
                async with asyncio.timeout_at(until):
                    status, content = await self._once(url, body)
            except TimeoutError:
                why = f"no answer within {seconds:g} s"
                return _silent(perf_counter() - started, why, timed_out=True)
            except (aiohttp.ClientError, OSError) as error:
                if left and _is_of_a_kept_connection(error):
                    continue
                return _silent(perf_counter() - started, f"cannot be reached: {error}")
            return _read(status, content, perf_counter() - started)
        raise AssertionError("the last try returns")

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


def _is_of_a_kept_connection(error: Exception) -> bool:
    """Whether the server closed a connection that was kept; asking a model twice is safe.

    MLServer closes them after each failure: the next request, anybody's, would pay for it.
    """
    import aiohttp

    lost = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)
    return isinstance(error, lost) and not isinstance(error, aiohttp.ClientConnectorError)


def _learn(served: Served, body: bytes, answer: Answer) -> None:
    served.experience.sample = body
    if answer.document is not None and not served.experience.outputs:
        served.experience.outputs = outputs_of(answer.document["outputs"])


def outputs_of(outputs: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Name, datatype and shape of an answer's outputs, with -1 for the rows."""
    return tuple(
        {"name": each["name"], "datatype": each["datatype"], "shape": [-1, *each["shape"][1:]]}
        for each in outputs
    )


def _read(status: int, content: bytes, seconds: float) -> Answer:
    if len(content) > MOST_BYTES:
        return Answer(status, b"", None, seconds, f"the answer has more than {MOST_BYTES} bytes")
    document, why = None, "the answer has no outputs"
    try:
        document = strict_json.read(content)
    except ValueError as error:
        why = f"the answer is not valid JSON: {printable(str(error))}"
    if status != HTTPStatus.OK:
        told = document.get("error") if isinstance(document, dict) else None
        return Answer(status, content, None, seconds, printable(str(told or f"HTTP {status}")))
    if not isinstance(document, dict) or not _sound(document.get("outputs")):
        return Answer(status, content, None, seconds, why)
    return Answer(status, content, document, seconds)


def _sound(outputs: object) -> bool:
    """Whether they are outputs as the protocol writes them."""
    return isinstance(outputs, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("datatype"), str)
        and isinstance(each.get("shape"), list)
        and isinstance(each.get("data"), list)
        for each in outputs
    )


def _silent(seconds: float, why: str, *, timed_out: bool = False) -> Answer:
    return Answer(0, b"", None, seconds, printable(why), timed_out)
