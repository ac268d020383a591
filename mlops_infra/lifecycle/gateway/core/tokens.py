"""Bearer tokens of the tenants, from a folder with one file for each: a mounted Secret."""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

_REREAD_SECONDS = 5.0
"""The kubelet renews mounted Secrets by the minute."""
_log = logging.getLogger(__name__)
_TENANT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Tokens:
    """Who may ask for which tenant's models."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._held: dict[str, tuple[float, bytes | None]] = {}

    def admits(self, tenant: str, authorization: str | None) -> bool:
        """Whether the header carries the tenant's token; an unknown tenant has none."""
        scheme, _, given = (authorization or "").partition(" ")
        wanted = self._token(tenant)
        # Compared all the same, so that the time does not tell which tenants there are.
        same = hmac.compare_digest(given.strip().encode(), wanted or b"\0")
        return same and wanted is not None and scheme.lower() == "bearer"

    def _token(self, tenant: str) -> bytes | None:
        read_at, held = self._held.get(tenant, (None, None))
        if read_at is not None and self._clock() - read_at < _REREAD_SECONDS:
            return held
        if not _TENANT.fullmatch(tenant):
            # It comes from a URL and must name no other file.
            return None
        try:
            token = (self._folder / tenant).read_bytes().strip() or None
        except FileNotFoundError:
            token = None
        except OSError as error:
            # it is there and cannot be read now: the tenant keeps the one that was read before
            _log.warning("the token of tenant %s: %s", tenant, error.strerror)
            token = held
        if token is not None or tenant in self._held:
            self._held[tenant] = (self._clock(), token)
        return token
