"""Bodies of requests that come straight from files."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable

from mlops_infra.transport import Streamed
from offline_bundle.volumes import Piece

_BLOCK = 16 << 20
"""Bytes after which progress is told; the kernel sends them without copies through this process."""
_TLS_BLOCK = 1 << 18
"""Bytes that are encrypted at a time: larger ones fall out of the processor's cache."""


class FromFiles(Streamed):
    """Bytes of files, written to the socket by the kernel where there is no TLS."""

    def __init__(self, pieces: tuple[Piece, ...], advance: Callable[[int], None]) -> None:
        self._pieces = pieces
        self._advance = advance
        self.length = sum(piece.length for piece in pieces)
        self._sent = 0

    def send(self, connection: socket.socket) -> None:
        """Write all pieces in order; see `Streamed.send`."""
        for piece in self._pieces:
            handle = os.open(piece.file, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if isinstance(connection, ssl.SSLSocket):
                    self._copy(connection, handle, piece)
                else:
                    self._hand_over(connection, handle, piece)
            finally:
                os.close(handle)

    def _hand_over(self, connection: socket.socket, handle: int, piece: Piece) -> None:
        with os.fdopen(os.dup(handle), "rb", buffering=0) as file:
            at, end = piece.start, piece.start + piece.length
            while at < end:
                sent = connection.sendfile(file, at, min(_BLOCK, end - at))
                if sent == 0:
                    raise OSError(f"{piece.file} shrank while it was read")
                at += sent
                self._count(sent)

    def _copy(self, connection: socket.socket, handle: int, piece: Piece) -> None:
        at, end = piece.start, piece.start + piece.length
        while at < end:
            data = os.pread(handle, min(_TLS_BLOCK, end - at), at)
            if not data:
                raise OSError(f"{piece.file} shrank while it was read")
            connection.sendall(data)
            at += len(data)
            self._count(len(data))

    def _count(self, amount: int) -> None:
        self._sent += amount
        self._advance(amount)

    def take_back(self) -> None:
        """What was sent has not arrived: progress goes back by it."""
        self._count(-self._sent)
