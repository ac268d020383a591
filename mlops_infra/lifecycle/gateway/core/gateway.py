"""What HTTP and gRPC share: one gateway with its routes, tokens, limits, models and log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from mlops_infra.lifecycle.gateway.core.answering import Answering
from mlops_infra.lifecycle.gateway.core.backend import Backends
from mlops_infra.lifecycle.gateway.core.checking import refused
from mlops_infra.lifecycle.gateway.core.metrics import Metrics
from mlops_infra.lifecycle.gateway.core.request_log import RequestLog
from mlops_infra.lifecycle.gateway.core.settings import Settings
from mlops_infra.lifecycle.gateway.core.table import Store, Table
from mlops_infra.lifecycle.gateway.core.texts import name_fault
from mlops_infra.lifecycle.gateway.core.tokens import Tokens
from mlops_infra.lifecycle.services.workers import TaskWorker, Worker, Workers


class Gateway:
    """The parts of one gateway; every protocol answers through them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.table = Table(store, self._failed, settings.servers)
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
        self._following = TaskWorker("routes", self.table.follow)
        workers: list[Worker] = [self._following, *([self.log.worker] if self.log else [])]
        self.workers = Workers(*workers, restarted=self._restarted)
        """All that runs beside requests."""
        for name in ("routes", "route", "request-log", "shadow", "http", "grpc"):
            # there from the start: a counter that begins at its first error never rises
            self.metrics.item_errors.labels(name)
        for each in (*workers, self.workers.watch):
            self.metrics.restarts.labels(each.name)
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
        """The client's own key.

        Raises:
            Refused: it is too long for the log, or not to be printed.
        """
        if given and (fault := name_fault(given)):
            raise refused("x-request-key", fault)
        return given or None

    def figures(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        if self.table.read_at is not None:
            self.metrics.unread.set(time.monotonic() - self.table.read_at)
        return self.metrics.text()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the routes, ask models and write the log while it lasts; within one event loop.

        At its end shadows have `settings.stop_seconds` to finish, and the log has them too.
        """
        await self._backends.start()
        self.workers.start()
        try:
            yield
        finally:
            seconds = self.settings.stop_seconds
            await self.workers.stop()
            await self._following.stop()
            await self.answering.close(seconds)
            await self._backends.close()
            if self.log is not None:
                await asyncio.to_thread(self.log.close, seconds)

    def _failed(self, worker: str) -> None:
        self.metrics.item_errors.labels(worker).inc()

    def _restarted(self, worker: str) -> None:
        self.metrics.restarts.labels(worker).inc()
