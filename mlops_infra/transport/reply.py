"""The answer of a server: read in large pieces, or not at all."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Callable
from email.message import Message
from typing import Protocol, Self, cast

from mlops_infra.transport.errors import HttpError

_MAX_DOCUMENT = 32 << 20
"""No manifest or list comes near (registries take 4 MiB); a longer answer is refused."""

_GZIP = b"\x1f\x8b"


class _Readable(Protocol):
    def readinto1(self, buffer: memoryview, /) -> int: ...


class Reply:
    """An answer; a context manager that gives its connection back."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        url: str,
        give_back: Callable[[bool], None],
        *,
        through: str | None = None,
    ) -> None:
        self._response = response
        self._give_back: Callable[[bool], None] | None = give_back
        self._left = response.length
        self.url = url
        self.through = through
        """The proxy that has handed the answer on, and may have given it itself."""
        self.status = response.status
        self.headers: Message = response.headers

    @property
    def length(self) -> int | None:
        """Bytes still to come; None where the server does not say."""
        return self._left

    def readinto(self, view: memoryview) -> int:
        """Fill `view` with what has arrived, at least one byte; 0 at the end.

        Raises:
            OSError, http.client.HTTPException: the connection is lost or silent.
        """
        if self._left is None:
            return self._response.readinto(view)
        if self._left == 0:
            return 0
        # http.client would wait until the whole view is filled: what is lost when this process is
        # killed should be what is under way, not a buffer of ours
        file = cast("_Readable", self._response.fp)
        count = file.readinto1(view[: self._left])
        if count == 0:
            raise http.client.IncompleteRead(b"", self._left)
        self._left -= count
        return count

    def document(self) -> bytes:
        """The whole answer, which is small; unpacked where it was packed although nobody asked.

        Raises:
            HttpError: it is not small, or is not what it is said to be packed with.
            OSError, http.client.HTTPException: the connection is lost.
        """
        if (self._left or 0) > _MAX_DOCUMENT:
            raise HttpError(f"the response has {self._left} bytes: too large for a document")
        parts: list[bytes] = []
        size = 0
        buffer = memoryview(bytearray(1 << 16))
        while count := self.readinto(buffer):
            parts.append(bytes(buffer[:count]))
            size += count
            if size > _MAX_DOCUMENT:
                raise HttpError("the response is too large for a document")
        return self._unpacked(b"".join(parts))

    def _unpacked(self, content: bytes) -> bytes:
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("gzip", "x-gzip") or not content.startswith(_GZIP):
            return content
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            plain = reader.decompress(content, _MAX_DOCUMENT)
        except zlib.error as error:
            raise HttpError(f"the response cannot be unpacked: {error}") from error
        if not reader.eof:
            raise HttpError("the response is cut off, or too large for a document")
        return plain

    def close(self) -> None:
        """Give the connection back if the answer was read to its end, else cut it."""
        if self._give_back is None:
            return
        give_back, self._give_back = self._give_back, None
        whole = self._left == 0 or (self._left is None and self._response.isclosed())
        reusable = whole and not self._response.will_close
        self._response.close()
        give_back(reusable)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
