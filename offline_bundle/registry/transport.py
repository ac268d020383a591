"""HTTP/1.1 with connections that stay open."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import threading
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from offline_bundle.registry.errors import RegistryError
from offline_bundle.registry.reply import Reply


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Of an absolute URL.

        Raises:
            RegistryError: it is no HTTP URL.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RegistryError(f"'{parts.scheme}:' is not a registry's address")
        return cls(parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])


_DEFAULT_PORTS = {"http": 80, "https": 443}


class Streamed(ABC):
    """A body that writes itself to the socket, so that files go out without passing through us."""

    length: int

    @abstractmethod
    def send(self, connection: socket.socket) -> None:
        """Write `length` bytes.

        Raises:
            OSError: the connection, or the file.
        """


Body = bytes | BinaryIO | Streamed | None


class Pool:
    """Connections by origin; safe to use from many threads."""

    def __init__(self, context: Callable[[Origin], ssl.SSLContext], silence: float) -> None:
        self._context = context
        self._silence = silence
        self._idle: dict[Origin, list[http.client.HTTPConnection]] = defaultdict(list)
        self._lock = threading.Lock()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = None) -> Reply:
        """Ask for `url`, an absolute one; redirects are the caller's affair.

        Raises:
            OSError, http.client.HTTPException: no connection, or it is lost or silent.
        """
        origin = Origin.of(url)
        with self._lock:
            idle = self._idle[origin].pop() if self._idle[origin] else None
        if idle is not None:
            try:
                return self._exchange(idle, origin, method, url, headers, body)
            except (ConnectionError, http.client.BadStatusLine):
                # the server has closed a connection that lay idle: that says nothing about it
                if body is not None and not isinstance(body, bytes):
                    raise
        return self._exchange(self.connect(origin), origin, method, url, headers, body)

    def connect(self, origin: Origin) -> http.client.HTTPConnection:
        """A new connection, through the proxy of the environment where there is one.

        Raises:
            RegistryError: the proxy's address cannot be used.
        """
        proxy = _proxy(origin)
        to = Origin.of(proxy) if proxy else origin
        if origin.scheme == "http":
            return http.client.HTTPConnection(to.host, to.port, timeout=self._silence)
        found = http.client.HTTPSConnection(
            to.host, to.port, timeout=self._silence, context=self._context(origin)
        )
        if proxy:
            found.set_tunnel(origin.host, origin.port, headers=_proxy_headers(proxy))
        return found

    def close(self) -> None:
        """Cut all idle connections."""
        with self._lock:
            for connections in self._idle.values():
                for connection in connections:
                    connection.close()
            self._idle.clear()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        origin: Origin,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body,
    ) -> Reply:
        proxy = _proxy(origin) if origin.scheme == "http" else None
        sent = {"Accept-Encoding": "identity", "User-Agent": "mlops-infra", **headers}
        sent |= _proxy_headers(proxy) if proxy else {}
        try:
            target = url if proxy else _target(url)
            whole = True
            if isinstance(body, Streamed):
                whole = _stream(connection, method, target, body, sent)
            else:
                connection.request(method, target, body, sent)
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise

        def give_back(reusable: bool) -> None:
            if not (reusable and whole):
                connection.close()
                return
            with self._lock:
                self._idle[origin].append(connection)

        return Reply(response, url, give_back)


def _stream(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: Streamed,
    headers: Mapping[str, str],
) -> bool:
    """Send a request; False where the server stopped reading, and may have said why."""
    connection.putrequest(method, target, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(body.length))
    connection.endheaders()
    try:
        body.send(connection.sock)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _target(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _proxy(origin: Origin) -> str | None:
    found = urllib.request.getproxies().get(origin.scheme)
    if not found or urllib.request.proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    return found if "://" in found else f"http://{found}"


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{parts.username}:{parts.password or ''}"
    pair = urllib.parse.unquote(pair)
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
