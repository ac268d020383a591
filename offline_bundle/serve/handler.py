"""One connection: requests in, answers out, files from the disk to the socket by the kernel."""

from __future__ import annotations

import http.server
import socket
import ssl
from typing import TYPE_CHECKING

from offline_bundle.push.sending import FromFiles
from offline_bundle.serve.answers import JSON, Answer, problem

if TYPE_CHECKING:
    from offline_bundle.serve.server import Server

SILENCE_SECONDS = 60.0
"""Without a byte for so long a connection is closed: slow readers are not held for ever."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Speaks HTTP/1.1; what is answered is the site's affair."""

    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """Shake hands here, in the connection's own thread: a slow client holds nobody up."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(SILENCE_SECONDS)
            self.request.do_handshake()
        super().setup()

    def handle_one_request(self) -> None:
        """As the standard library does, but an end of the connection is no news."""
        try:
            super().handle_one_request()
        except (OSError, ssl.SSLError):
            self.close_connection = True

    def parse_request(self) -> bool:
        """Refuse bodies: nothing here takes one, and what follows must not be read as a request."""
        if not super().parse_request():
            return False
        length = self.headers.get("Content-Length", "0").strip()
        if length != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            if self.command in ("GET", "HEAD"):
                self._tell(problem(400, "UNSUPPORTED", "a body where none belongs"))
                return False
        return True

    def _serve(self) -> None:
        self.server.busy(self.connection, True)
        try:
            self._tell(self.server.site.answer(self.command, self.path, self.headers))
        finally:
            self.server.busy(self.connection, False)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def _tell(self, answer: Answer) -> None:
        self.close_connection = self.close_connection or self.server.stopping
        self.send_response(answer.status)
        named = {"Content-Type": JSON, "X-Content-Type-Options": "nosniff", **answer.headers}
        for name, value in named.items():
            self.send_header(name, value)
        if self.path.startswith("/v2"):
            self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if answer.status != 304:
            self.send_header("Content-Length", str(answer.length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.server.log(f"{self.client_address[0]} {self._asked()} {answer.status} {answer.length}")
        if self.command != "HEAD" and answer.status != 304:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        connection: socket.socket = self.connection
        if isinstance(answer.content, bytes):
            connection.sendall(answer.content)
        else:
            FromFiles(answer.content, lambda _: None).send(connection)

    def _asked(self) -> str:
        """Method and target for the log, without what a terminal would obey."""
        text = f"{self.command} {self.path}"
        return "".join(letter if letter.isprintable() else "?" for letter in text[:500])

    def version_string(self) -> str:
        """The name alone: versions are for those who look for holes."""
        return "mlops-infra"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """What the standard library would print."""
