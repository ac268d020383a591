"""What HTTP and gRPC share: one gateway with its routes, tokens, limits, models and log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from mlops_infra.lifecycle.gateway.core.answering import Answering
from mlops_infra.lifecycle.gateway.core.backend import Backends
from mlops_infra.lifecycle.gateway.core.metrics import Metrics
from mlops_infra.lifecycle.gateway.core.request_log import RequestLog
from mlops_infra.lifecycle.gateway.core.settings import Settings
from mlops_infra.lifecycle.gateway.core.table import Store, Table
from mlops_infra.lifecycle.gateway.core.tokens import Tokens

_LONGEST_KEY = 200


class Gateway:
    """The parts of one gateway; every protocol answers through them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.table = Table(store)
        self.log = (
            RequestLog(settings.database, rows=settings.log_rows, metrics=self.metrics)
            if settings.log
            else None
        )
        self._backends = Backends()
        self.answering = Answering(
            self._backends,
            self.log,
            self.metrics,
            shadows=settings.shadows,
            logged_bytes=settings.logged_bytes,
        )
        self.tokens = Tokens(settings.tokens)
        self._in_flight = 0

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Count a request in while it lasts; False where there are too many already."""
        admitted = self._in_flight < self.settings.in_flight
        self._in_flight += admitted
        try:
            yield admitted
        finally:
            self._in_flight -= admitted

    def key(self, given: str | None) -> str | None:
        """The client's own key, cut to what the log holds."""
        return given[:_LONGEST_KEY] if given else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the routes, ask models and write the log while it lasts; within one event loop.

        At its end shadows have `settings.stop_seconds` to finish, and the log has them too.
        """
        await self._backends.start()
        if self.log is not None:
            self.log.start()
        following = asyncio.create_task(self.table.follow())
        try:
            yield
        finally:
            seconds = self.settings.stop_seconds
            following.cancel()
            await self.answering.close(seconds)
            await self._backends.close()
            if self.log is not None:
                await asyncio.to_thread(self.log.close, seconds)
