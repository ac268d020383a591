"""The answer of a server: read in large pieces, or not at all."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from email.message import Message
from typing import Protocol, Self, cast

from offline_bundle.registry.errors import RegistryError

_MAX_DOCUMENT = 32 << 20
"""No manifest or list comes near (registries take 4 MiB); a longer answer is refused."""


class _Readable(Protocol):
    def readinto1(self, buffer: memoryview, /) -> int: ...


class Reply:
    """An answer; a context manager that gives its connection back."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        url: str,
        give_back: Callable[[bool], None],
    ) -> None:
        self._response = response
        self._give_back: Callable[[bool], None] | None = give_back
        self._left = response.length
        self.url = url
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
        """The whole answer, which is small.

        Raises:
            RegistryError: it is not.
            OSError, http.client.HTTPException: the connection is lost.
        """
        if (self._left or 0) > _MAX_DOCUMENT:
            raise RegistryError(f"the response has {self._left} bytes: too large for a document")
        parts: list[bytes] = []
        size = 0
        buffer = memoryview(bytearray(1 << 16))
        while count := self.readinto(buffer):
            parts.append(bytes(buffer[:count]))
            size += count
            if size > _MAX_DOCUMENT:
                raise RegistryError("the response is too large for a document")
        return b"".join(parts)

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
