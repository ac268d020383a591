"""Requests to the API server over kept-alive connections."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mlops_infra.kubeprovider.kubeconfig import Access
from mlops_infra.kubeprovider.problems import ApiError, ProviderError, UnreachableError

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
"""Longest silence of a request; admission webhooks may take up to 30 s each."""
_IN_FLIGHT = 64
_BUSY = (429, 503)
_BUSY_TRIES = 6
_STALE = (
    http.client.RemoteDisconnected,
    http.client.BadStatusLine,
    BrokenPipeError,
    ConnectionResetError,
    ssl.SSLEOFError,
)


class Client:
    """One API server; safe to share between threads."""

    def __init__(
        self, access: Access, on_warning: Callable[[str], None] = lambda _text: None
    ) -> None:
        self.access = access
        parts = urlsplit(access.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ProviderError(f"'{access.server}' is no address of an API server")
        self._host: str = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._prefix = parts.path.rstrip("/")
        self._tls = _tls(access) if parts.scheme == "https" else None
        self._headers = _headers(access)
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(_IN_FLIGHT)
        self._on_warning = on_warning
        self._warned: set[str] = set()

    def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON) -> Any:
        """GET and parse JSON."""
        return json.loads(self.send("GET", path, query, accept=accept))

    def find(self, path: str) -> dict[str, Any] | None:
        """GET one object; None where there is none."""
        try:
            found: dict[str, Any] = self.get(path)
        except ApiError as error:
            if error.code == http.HTTPStatus.NOT_FOUND:
                return None
            raise
        return found

    def write(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        query: Mapping[str, str] | None = None,
        content: str = JSON,
    ) -> dict[str, Any]:
        """Send `body` as JSON and return the object that comes back."""
        answer: dict[str, Any] = json.loads(
            self.send(method, path, query, body=json.dumps(body).encode(), content=content)
        )
        return answer

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        content: str = JSON,
        accept: str = JSON,
    ) -> bytes:
        """One request, again while the server says that it is too busy.

        Raises:
            ApiError: the server's own failure.
            UnreachableError: no connection, or no answer in time.
        """
        target = self._prefix + path + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Accept": accept}
        if body is not None:
            headers["Content-Type"] = content
        for attempt in range(_BUSY_TRIES):
            with self._slots:
                response, data = self._exchange(method, target, body, headers)
            if response.status not in _BUSY or attempt == _BUSY_TRIES - 1:
                break
            time.sleep(min(float(response.headers.get("Retry-After") or 1), 10.0))
        for warning in response.headers.get_all("Warning") or []:
            self._warn(warning)
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise _api_error(response.status, data)
        return data

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        while True:
            connection, reused = self._connection()
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                data = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # the server closed an idle connection: nothing was handled, so say it again
                if reused and isinstance(error, _STALE):
                    continue
                raise self._unreachable(error) from error
            if response.will_close:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)
            return response, data

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, context=self._tls, timeout=_CONNECT_SECONDS
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=_CONNECT_SECONDS)
        )
        try:
            connection.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock.settimeout(_ANSWER_SECONDS)
        return connection, False

    def _unreachable(self, error: Exception) -> UnreachableError:
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return UnreachableError(
            f"cannot reach the Kubernetes API server {self.access.server}: {what}. Is the cluster"
            " running, and is the kubeconfig the right one?"
        )

    def _warn(self, header: str) -> None:
        """A `Warning` header reads: code, agent, text in quotes."""
        text = header.split(" ", 2)[-1].strip('"')
        with self._lock:
            if text in self._warned:
                return
            self._warned.add(text)
        self._on_warning(text)


def _headers(access: Access) -> dict[str, str]:
    headers = {"User-Agent": "mlops-infra-kubeprovider"}
    if access.token:
        headers["Authorization"] = f"Bearer {access.token}"
    elif access.basic:
        headers["Authorization"] = "Basic " + base64.b64encode(access.basic.encode()).decode()
    return headers


def _tls(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=access.ca)
        if access.certificate and access.key:
            _load_pair(context, access.certificate, access.key)
    except ssl.SSLError as error:
        raise ProviderError(
            f"a certificate in the kubeconfig is unusable: {error.reason}"
        ) from error
    if not access.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """The ssl module takes only files: a private one that is gone again at once."""
    with tempfile.TemporaryDirectory(prefix="mlops-infra-") as folder:
        pair = Path(folder) / "client.pem"
        pair.touch(mode=0o600)
        pair.write_text(f"{certificate}\n{key}\n", encoding="ascii")
        context.load_cert_chain(pair)


def _api_error(code: int, data: bytes) -> ApiError:
    try:
        status = json.loads(data)
    except ValueError:
        status = {}
    if not isinstance(status, dict):
        status = {}
    text = data[:300].decode(errors="replace").strip()
    message = status.get("message") or text or http.client.responses.get(code, str(code))
    return ApiError(code, status.get("reason") or "", message, status.get("details") or {})
