"""The listening side: one thread a connection, a limit of them, TLS, and a stop that finishes."""

from __future__ import annotations

import contextlib
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
from offline_bundle.serve.handler import Handler
from offline_bundle.serve.site import Site

MAX_CONNECTIONS = 256
"""A node's runtime opens a handful; more than this is somebody who wants to use us up."""
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
        raise InputError(f"'{text}' is no address to listen on", hint="127.0.0.1:5080, [::]:443")
    return host.strip("[]") or "127.0.0.1", int(port)


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
                hint="another --listen address; a port of 0 takes any that is free",
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
        raise InputError("a certificate and its key belong together", hint="--cert and --key")
    if secure or door.loopback:
        return
    if site.accounts is not None:
        raise InputError("passwords would travel without TLS", hint="add --cert and --key")
    if not door.plain_http:
        raise InputError(
            f"{door.host} can be reached by others, without TLS",
            hint="add --cert and --key, or --plain-http if that is meant",
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
