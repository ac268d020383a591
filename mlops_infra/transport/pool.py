"""HTTP/1.1 with connections that stay open, directly or through a proxy.

The one place where this program opens a connection to a registry, a package index or a server of
files: what it knows of proxies, of authorities and of lost connections counts for all of them.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.parse
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from mlops_infra.transport import proxies
from mlops_infra.transport.errors import HttpError
from mlops_infra.transport.origin import Origin, bare
from mlops_infra.transport.proxies import Proxy
from mlops_infra.transport.reply import Reply

_PROXY_WANTS_LOGIN = 407


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
            InputError: the proxy's address cannot be used.
        """
        proxy = proxies.proxy_of(origin)
        host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
        if origin.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._silence)
        found = http.client.HTTPSConnection(
            host, port, timeout=self._silence, context=self._context(origin)
        )
        if proxy:
            found.set_tunnel(origin.host, origin.port, headers=dict(proxy.headers))
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
        proxy = proxies.proxy_of(origin)
        by_proxy = proxy if origin.scheme == "http" else None
        sent = {"Accept-Encoding": "identity", "User-Agent": "mlops-infra", **headers}
        sent |= by_proxy.headers if by_proxy else {}
        try:
            if connection.sock is None:
                with _naming(proxy):
                    connection.connect()
            target = bare(url) if by_proxy else _target(url)
            whole = True
            if isinstance(body, Streamed):
                whole = _stream(connection, method, target, body, sent)
            else:
                connection.request(method, target, body, sent)
            with _naming(by_proxy):
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

        reply = Reply(response, url, give_back, through=str(by_proxy) if by_proxy else None)
        if by_proxy and reply.status == _PROXY_WANTS_LOGIN:
            reply.close()
            raise _refused(by_proxy)
        return reply


@contextmanager
def _naming(proxy: Proxy | None) -> Iterator[None]:
    """Errors on the way to `proxy` name it; they stay of their kind, which decides on retries."""
    try:
        yield
    except ssl.SSLError:
        raise  # the server's certificate: the proxy has done its part
    except OSError as error:
        if proxy is None:
            raise
        if str(_PROXY_WANTS_LOGIN) in str(error):
            raise _refused(proxy) from error
        told = f"the proxy {proxy}: {error.strerror or error}"
        raise (type(error)(error.errno, told) if error.errno else type(error)(told)) from error
    except http.client.HTTPException as error:
        if proxy is None:
            raise
        raise ConnectionError(f"the proxy {proxy} does not speak HTTP") from error


def _refused(proxy: Proxy) -> HttpError:
    return HttpError(
        f"the proxy {proxy} refuses the request without a login, or with this one",
        hint="set http_proxy and https_proxy to http://NAME:PASSWORD@HOST:PORT",
        status=_PROXY_WANTS_LOGIN,
    )


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
