"""Compressed bodies of requests and answers: gzip and deflate."""

from __future__ import annotations

import re
import zlib

SMALLEST = 1024
"""Bytes of an answer from which on compressing it is worth the time."""
_LEVEL = 1
_FORMATS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
"""Encoding to zlib's window bits; `deflate` comes with zlib's frame, as HTTP has it, or without."""
_ACCEPTED = re.compile(
    r"(?:^|,)\s*(gzip|deflate)\s*(?:;\s*q=(0|1|0?\.\d+|1\.0*|0\.\d*))?\s*(?=,|$)"
)


class UnknownEncoding(Exception):
    """Nobody here can unpack it."""


class TooLong(Exception):
    """The body has more bytes than are taken."""


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body, as it was before it was compressed.

    Raises:
        UnknownEncoding: neither gzip nor deflate.
        TooLong: it has more than `most` bytes.
        ValueError: it is damaged.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in _FORMATS:
        raise UnknownEncoding(name)
    faults = []
    for bits in _FORMATS[name]:
        try:
            return _inflated(body, bits, most)
        except zlib.error as error:
            faults.append(error)
    raise ValueError(f"the body is not {name}: {faults[0]}")


def preferred(accepted: str | None) -> str | None:
    """The encoding that a client accepts for its answer; None for none."""
    found = {name for name, weight in _ACCEPTED.findall(accepted or "") if _weight(weight) > 0}
    return next((name for name in ("gzip", "deflate") if name in found), None)


def packed(body: bytes, encoding: str) -> bytes:
    """The body compressed."""
    packer = zlib.compressobj(_LEVEL, wbits=_FORMATS[encoding][0])
    return packer.compress(body) + packer.flush()


def _inflated(body: bytes, bits: int, most: int) -> bytes:
    made, rest = b"", body
    while rest:  # gzip may have several members
        reader = zlib.decompressobj(bits)
        made += reader.decompress(rest, most + 1 - len(made))
        if len(made) > most:
            raise TooLong
        if not reader.eof:
            raise zlib.error("it is truncated")
        rest = reader.unused_data
        if bits != _FORMATS["gzip"][0] and rest:
            raise zlib.error("something follows its end")
    return made


def _weight(text: str) -> float:
    return float(text) if text else 1.0
