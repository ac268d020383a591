"""Content that looks like compressed layers to everyone who measures."""

from __future__ import annotations

import random

_MOST = 64 << 20
"""Bytes that the generator is asked for at a time: it counts bits in a C integer."""


def noise(source: random.Random, size: int) -> bytes:
    """`size` bytes that no compression makes smaller; the same for the same state of `source`."""
    return b"".join(source.randbytes(min(_MOST, size - at)) for at in range(0, size, _MOST))
