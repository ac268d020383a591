"""A connection that keeps no more of a request than the gateway has room for.

uvicorn with httptools bounds neither the line nor the headers of a request: one client without a
token could fill the Pod's memory. The body's own limit is the application's.
"""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 << 10
"""Of everything but the body, from the first read that follows the one with the request's begin."""
MOST_FRAMING = 4 << 20
"""Of a body's chunks and what follows them: as much as the body, up to this."""


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's own, with a limit."""

    _beside_body = 0

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless the request has had too much of it already."""
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response(f"more than {MOST_BYTES} bytes of headers")

    def on_message_begin(self) -> None:
        """Count from here."""
        self._beside_body = 0
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """What is body is not counted, and allows for as many bytes of framing."""
        self._beside_body = max(self._beside_body - 2 * len(body), -MOST_FRAMING)
        super().on_body(body)
