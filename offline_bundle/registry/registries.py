"""All registries of one run: each is made when it is first asked for."""

from __future__ import annotations

import threading
from typing import Self

from offline_bundle.registry.client import Registry
from offline_bundle.registry.settings import Settings


class Registries:
    """Registries by host; safe to use from many threads; a context manager that closes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._found: dict[str, Registry] = {}
        self._lock = threading.Lock()

    def __getitem__(self, host: str) -> Registry:
        with self._lock:
            if host not in self._found:
                self._found[host] = Registry(host, self.settings)
            return self._found[host]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for registry in self._found.values():
            registry.close()
