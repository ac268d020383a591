"""Lets as many requests through to one registry as it bears, and repeats what may be repeated."""

from __future__ import annotations

import concurrent.futures
import datetime
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlops_infra.errors import Interrupted
from mlops_infra.progress import Step
from mlops_infra.transport import TROUBLE, HttpError
from mlops_infra.transport.retrying import judge
from offline_bundle.fetch.limiter import Limiter
from offline_bundle.registry import DigestMismatch
from offline_bundle.registry.optional import ATTEMPTS

Item = TypeVar("Item")
Result = TypeVar("Result")


class Turnstile:
    """The requests to one registry; safe to use from many threads."""

    def __init__(self, most: int, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._limiter = Limiter(most)
        self._condition = threading.Condition()
        self._sleep = pause
        self._stopped = False
        self.most = most

    @contextmanager
    def _slot(self) -> Iterator[None]:
        with self._condition:
            while not self._limiter.free(time.monotonic(), small=False):
                if self._stopped:
                    raise Interrupted("another transfer failed")
                left = self._limiter.paused_until - time.monotonic()
                self._condition.wait(max(left, 0.0) if left > 0 else None)
            self._limiter.active += 1
        try:
            yield
        finally:
            with self._condition:
                self._limiter.active -= 1
                self._condition.notify_all()

    def persist(
        self,
        action: Callable[[], Result],
        work: Step | None = None,
        *,
        attempts: int | None = None,
    ) -> Result:
        """Run `action` in a slot of its own until it succeeds or it is clear that it will not.

        Raises:
            RegistryError, OSError, http.client.HTTPException: what the last attempt raised.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._slot():
                    result = action()
            except TROUBLE as error:
                now = datetime.datetime.now(datetime.UTC)
                verdict = judge(error, attempt, attempt, now, attempts=attempts)
                if not verdict.again or self._stopped:
                    raise
                if work is not None:
                    work.note(f"{error}".partition("\n")[0] + f"; attempt {attempt + 1}")
                with self._condition:
                    self._limiter.trouble(time.monotonic(), verdict.pause)
                self._sleep(verdict.pause)
            else:
                with self._condition:
                    self._limiter.went_well()
                    self._condition.notify_all()
                return result

    def each(
        self,
        action: Callable[[Item], Result],
        items: Iterable[Item],
        work: Step | None = None,
        *,
        refused: Callable[[Item, HttpError], Result] | None = None,
    ) -> list[Result]:
        """Run `action` over all items, concurrently; the first failure ends the others.

        Args:
            refused: gives the result of an item that the registry refuses, where the work can do
                without it; a registry that cannot be reached ends it all the same.

        Raises:
            HttpError, OSError, http.client.HTTPException: the first failure.
        """

        def one(item: Item) -> Result:
            try:
                return self.persist(
                    lambda: action(item), work, attempts=ATTEMPTS if refused else None
                )
            except DigestMismatch:
                raise
            except HttpError as error:
                if refused is None:
                    raise
                return refused(item, error)

        with concurrent.futures.ThreadPoolExecutor(self.most) as pool:
            futures = [pool.submit(one, item) for item in items]
            try:
                done, _ = concurrent.futures.wait(
                    futures, return_when=concurrent.futures.FIRST_EXCEPTION
                )
                for future in done:
                    future.result()
            except BaseException:
                self._stopped = True
                with self._condition:
                    self._condition.notify_all()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            return [future.result() for future in futures]
