"""The listening side: one thread a connection, a limit of them, TLS, and a stop that finishes.

Files go from the disk to the socket by the kernel.
"""

from __future__ import annotations

import contextlib
import http.server
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mlops_infra.errors import InputError, OperationFailed
from offline_bundle.push.sending import FromFiles
from offline_bundle.serve.answers import JSON, Answer, problem
from offline_bundle.serve.site import Site

MAX_CONNECTIONS = 256
"""A node's runtime opens a handful; more than this is somebody who wants to use us up."""
SILENCE_SECONDS = 60.0
"""Without a byte for so long a connection is closed: slow readers are not held for ever."""
GRACE_SECONDS = 10.0
_REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Door:
    """Where to listen, and how."""

    host: str = "127.0.0.1"
    port: int = 5080
    """0: any that is free."""
    certificate: Path | None = None
    key: Path | None = None
    plain_http: bool = False
    """Needed beyond loopback where there is no certificate."""

    @property
    def loopback(self) -> bool:
        """Whether only this machine can come in."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def listen_address(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`, `:PORT` or `PORT`; IPv6 in brackets.

    Raises:
        InputError: it is none.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536) or "/" in host:
        raise InputError(
            f"'{text}' is not an address to listen on", hint="127.0.0.1:5080, [::]:443"
        )
    return host.strip("[]") or "127.0.0.1", int(port)


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
                self._tell(problem(400, "UNSUPPORTED", "unexpected body"))
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


class Server(socketserver.ThreadingTCPServer):
    """Serves one site; a context manager that stops in order."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, site: Site, door: Door, log: Callable[[str], None] | None = None) -> None:
        """Bind, listen, and load the certificate.

        Raises:
            InputError: the door is not safe, or its certificate cannot be used.
            OperationFailed: the address cannot be had.
        """
        _require_safe(site, door)
        self.site = site
        self.stopping = False
        self.log = log or (lambda _: None)
        self._context = _context(door)
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, bool] = {}
        self.address_family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
        try:
            super().__init__((door.host, door.port), Handler)
        except OSError as error:
            raise OperationFailed(
                f"cannot listen there: {error.strerror}",
                where=f"{door.host}:{door.port}",
                hint="use another --listen address; port 0 takes any free port",
            ) from error

    @property
    def url(self) -> str:
        """`http://127.0.0.1:5080`."""
        host, port = self.server_address[:2]
        told = f"[{host!s}]" if self.address_family == socket.AF_INET6 else str(host)
        return f"{'https' if self._context else 'http'}://{told}:{port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; TLS shakes hands later, in the connection's thread."""
        accepted, where = super().get_request()
        if self._context is not None:
            accepted = self._context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
        return accepted, where

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, or send it away where there are too many."""
        with self._lock:
            full = len(self._connections) >= MAX_CONNECTIONS
            if not full:
                self._connections[request] = False
        if full:
            with contextlib.suppress(OSError):
                if self._context is None:
                    request.send(_REFUSED)
            super().shutdown_request(request)
            return
        super().process_request(request, client_address)

    def busy(self, connection: socket.socket, yes: bool) -> None:
        """A handler says whether it is in the middle of an answer."""
        with self._lock:
            if connection in self._connections:
                self._connections[connection] = yes

    def shutdown_request(self, request: Any) -> None:
        """A connection is over."""
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that went away or cannot shake hands; the others are served on."""
        self.log(f"{client_address[0]} connection failed")

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no connection any more, let answers that are under way finish, cut the rest."""
        self.stopping = True
        self.server_close()
        until = time.monotonic() + grace
        while True:
            with self._lock:
                idle = [each for each, busy in self._connections.items() if not busy]
                left = len(self._connections)
            late = time.monotonic() > until
            for each in idle if not late else list(self._connections):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            if not left or late:
                return
            time.sleep(0.02)

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def __enter__(self) -> Self:
        return self


def _require_safe(site: Site, door: Door) -> None:
    secure = door.certificate is not None
    if (door.certificate is None) != (door.key is None):
        raise InputError("certificate and key are both needed", hint="use --cert and --cert-key")
    if secure or door.loopback:
        return
    if site.accounts is not None:
        raise InputError("passwords would be sent without TLS", hint="add --cert and --cert-key")
    if not door.plain_http:
        raise InputError(
            f"{door.host} would be reachable by others without TLS",
            hint="add --cert and --cert-key, or confirm with --plain-http",
        )


def _context(door: Door) -> ssl.SSLContext | None:
    if door.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(door.certificate, door.key)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"the certificate cannot be used: {error.strerror}", where=str(door.certificate)
        ) from error
    return context
