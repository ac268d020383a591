"""A bounded load of one server: connections that are kept, one request after another on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, again and again."""

    url: str
    """Base URL; http alone."""
    path: str
    body: bytes
    token: str = "token"  # noqa: S105 - a bare server looks at none

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        there = urlsplit(self.url)
        return there.hostname or "", there.port or 80

    @property
    def request(self) -> bytes:
        """The whole of it, as it goes over the wire."""
        host, _ = self.place
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    seconds: tuple[float, ...]
    """Of each answer, sorted; those of errors too."""
    errors: int
    """Answers that were not 200, and lost connections."""
    first_error: str
    took: float
    """Seconds from the first request to the last answer."""

    @property
    def per_second(self) -> float:
        """Good answers in a second."""
        return (len(self.seconds) - self.errors) / self.took

    @property
    def error_share(self) -> float:
        """0 to 1."""
        return self.errors / max(1, len(self.seconds))

    def milliseconds(self, percent: int) -> float:
        """A percentile of the times."""
        last = len(self.seconds) - 1
        return self.seconds[min(last, len(self.seconds) * percent // 100)] * 1000


def load(
    asked: Asked, lanes: int, seconds: float, *, over: Callable[[], bool] = lambda: False
) -> Load:
    """Ask over `lanes` connections for so long, or until it is `over`."""
    return asyncio.run(_loaded(asked, lanes, seconds, over))


async def _loaded(asked: Asked, lanes: int, seconds: float, over: Callable[[], bool]) -> Load:
    started = time.perf_counter()

    def ended() -> bool:
        return time.perf_counter() > started + seconds or over()

    lane = (_lane(asked, ended) for _ in range(lanes))
    found = await asyncio.gather(*lane)
    took = time.perf_counter() - started
    times = sorted(each for taken, _ in found for each in taken)
    errors = [error for _, told in found for error in told]
    return Load(tuple(times), len(errors), errors[0] if errors else "", took)


async def _lane(asked: Asked, ended: Callable[[], bool]) -> tuple[list[float], list[str]]:
    times: list[float] = []
    errors: list[str] = []
    request, wires = asked.request, None
    while not ended():
        started = time.perf_counter()
        try:
            wires = wires or await asyncio.open_connection(*asked.place)
            async with asyncio.timeout(ANSWER_SECONDS):
                error = await _once(*wires, request)
        except (OSError, EOFError, ValueError) as lost:
            error, wires = f"{type(lost).__name__}: {lost}", None
        times.append(time.perf_counter() - started)
        if error is not None:
            errors.append(error)
    if wires is not None:
        wires[1].close()
    return times, errors


async def _once(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> str | None:
    """Why the answer is no good one; None where it is."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length:")[1].split(b"\r\n")[0]
    content = await reader.readexactly(int(length))
    return None if head.startswith(b"http/1.1 200") else content.decode(errors="replace")[:300]
