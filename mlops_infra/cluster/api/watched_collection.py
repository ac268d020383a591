"""A collection of the API server, kept in memory by one thread that lists and then watches.

Only the standard library: processes that run as long as the cluster use it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from mlops_infra.cluster.api.client import Api, ApiError

T = TypeVar("T")

GONE = 410
"""Status of a watch whose version is too old: list again, nothing is wrong."""


class Mirror(Generic[T]):
    """What `keep` makes of each object of a collection, by `namespace/name`."""

    def __init__(
        self,
        api: Api,
        path: str,
        keep: Callable[[Mapping[str, Any]], T],
        *,
        changed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self._api, self._path, self._keep = api, path, keep
        self._changed, self._say = changed, say
        self._lock = threading.Lock()
        self._items: dict[str, T] = {}
        self.listed = False
        """Whether the collection was read once."""
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether it follows."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to follow, for as long as the process lives."""
        self._thread = threading.Thread(target=self._follow, name=self._path, daemon=True)
        self._thread.start()

    def items(self) -> dict[str, T]:
        """A copy of what is known now."""
        with self._lock:
            return dict(self._items)

    def _follow(self) -> None:
        while True:
            try:
                self._watch(self._list())
            except ApiError as error:
                if error.status != GONE:
                    self._say(f"{self._path}: {error}")
                    time.sleep(0.5)
            except Exception as error:  # noqa: BLE001 - what is not followed is never seen again
                self._say(f"{self._path}: {error!r}")
                time.sleep(0.5)

    def _list(self) -> str:
        found = self._api.get(self._path)
        fresh: dict[str, T] = {}
        for item in found["items"]:
            self._take(fresh, item)
        with self._lock:
            self._items = fresh
        self.listed = True
        self._changed()
        version: str = found["metadata"]["resourceVersion"]
        return version

    def _watch(self, version: str) -> None:
        for event in self._api.watch(self._path, version):
            item = event["object"]
            if event["type"] == "BOOKMARK":
                continue
            key = _key(item)
            with self._lock:
                before = self._items.get(key)
                if event["type"] == "DELETED":
                    self._items.pop(key, None)
                else:
                    self._take(self._items, item)
                same = before == self._items.get(key)
            if not same:
                self._changed()

    def _take(self, items: dict[str, T], item: Mapping[str, Any]) -> None:
        """Put an object among the items; one that cannot be read is named and is none of them."""
        key = _key(item)
        try:
            items[key] = self._keep(item)
        except Exception as error:  # noqa: BLE001 - it costs this object alone
            items.pop(key, None)
            self._say(f"{self._path}: {key} cannot be read: {error!r}")


def _key(item: Mapping[str, Any]) -> str:
    meta = item["metadata"]
    return f"{meta.get('namespace', '')}/{meta['name']}"
