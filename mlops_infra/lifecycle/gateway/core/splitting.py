"""Who answers: the same key gets the same model, in every gateway and after every restart."""

from __future__ import annotations

import os
import time
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from mlops_infra.lifecycle.gateway.core.route import Route

Role = Literal["champion", "challenger", "shadow", "fallback"]
_SPACE = 2**64


def chosen(route: Route, key: str) -> Role:
    """Champion or challenger for `key`.

    A key's place depends on the model and the key alone: a growing share only adds keys to the
    challenger, nobody who has it goes back.
    """
    if route.challenger is not None and place(route, key) < route.share:
        return "challenger"
    return "champion"


def place(route: Route, key: str) -> float:
    """Where `key` stands between 0 (in the first share) and 1 (never in any)."""
    digest = blake2b(f"{route.tenant}/{route.model}/{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPACE


def prediction_id() -> str:
    """A UUID of version 7 (RFC 9562): ordered by time, so the log's index grows at its end."""
    stamp = int(time.time() * 1000)
    rest = int.from_bytes(os.urandom(10))
    number = (stamp & (2**48 - 1)) << 80 | rest
    number = number & ~(0xF << 76) | 7 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=number))
