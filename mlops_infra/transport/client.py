"""Reads from servers of files and package indexes: redirects, logins, proxies, lost connections."""

from __future__ import annotations

import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from mlops_infra.transport import trust
from mlops_infra.transport.errors import HttpError
from mlops_infra.transport.logins import Logins, of_netrc, of_process
from mlops_infra.transport.origin import Origin, bare
from mlops_infra.transport.pool import Pool
from mlops_infra.transport.reply import Reply
from mlops_infra.transport.retrying import persist

SILENCE_SECONDS = 30.0
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 10
_ASK_FOR_LOGIN = (401, 403, 404)
"""What servers answer to somebody whom they do not know; some deny that there is anything."""
_HINTS = {
    401: "write the name and the password into the index's URL (PIP_INDEX_URL), or into ~/.netrc",
    403: "the login has no permission to read there, or none was given: see ~/.netrc",
    404: "check the address; some servers answer so to a request without a login",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A small file, and the URL that it came from in the end: relative links begin there."""

    content: bytes
    url: str


class Client:
    """GETs with connections that stay open; safe to use from many threads."""

    def __init__(self, logins: Logins | None = None, silence: float = SILENCE_SECONDS) -> None:
        self._logins = of_process() if logins is None else logins
        self._context: ssl.SSLContext | None = None
        self._pool = Pool(self._trusted, silence)

    def open(self, url: str, headers: Mapping[str, str]) -> Reply:
        """The answer to a GET, whatever its status, but for redirects, which are followed.

        A login goes to its own server alone. Nothing leads from HTTPS to plain HTTP.

        Raises:
            HttpError: redirected too often, or to plain HTTP.
            OSError, http.client.HTTPException: no connection, or it is lost or silent.
        """
        asked = url
        for _ in range(MAX_REDIRECTS):
            reply = self._logged_in(url, headers)
            if reply.status not in REDIRECTS:
                return reply
            with reply:
                reply.document()
            url = redirected(reply)
        raise HttpError("the server redirects too often", where=bare(asked))

    def document(self, url: str, *, accept: str = "*/*") -> Document:
        """The whole of a small file, asked for again after failures that may pass.

        Raises:
            HttpError: it is refused, or is not small.
            OSError, http.client.HTTPException: what the last attempt raised.
        """

        def once() -> Document:
            with self.open(url, {"Accept": accept}) as reply:
                content = reply.document()
                require_success(reply)
                return Document(content, bare(reply.url))

        return persist(once)

    def close(self) -> None:
        """Cut the idle connections."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _logged_in(self, url: str, headers: Mapping[str, str]) -> Reply:
        login = self._logins.find(url)
        sent = {**headers, "Authorization": login.basic} if login else headers
        reply = self._pool.send("GET", bare(url), sent)
        if login or reply.status not in _ASK_FOR_LOGIN:
            return reply
        other = of_netrc(Origin.of(url).host)
        if other is None:
            return reply
        with reply:
            reply.document()
        return self._pool.send("GET", bare(url), {**headers, "Authorization": other.basic})

    def _trusted(self, _origin: Origin) -> ssl.SSLContext:
        if self._context is None:
            self._context = trust.context()
        return self._context


def redirected(reply: Reply) -> str:
    """The URL that a redirect leads to.

    Raises:
        HttpError: it names none, or leads from HTTPS to plain HTTP.
    """
    location = reply.headers.get("Location")
    if not location:
        raise HttpError(
            f"the server answers {reply.status} without a Location", where=bare(reply.url)
        )
    target = urllib.parse.urljoin(reply.url, location)
    if reply.url.startswith("https://") and not target.startswith("https://"):
        raise HttpError(
            "the server redirects from HTTPS to plain HTTP; refused",
            where=bare(reply.url),
            hint="the server's proxy has to set X-Forwarded-Proto",
        )
    return target


def require_success(reply: Reply, accepted: tuple[int, ...] = (200,)) -> None:
    """Raise what a status outside of `accepted` means.

    Raises:
        HttpError: with the status, the URL, and the proxy that may have answered.
    """
    if reply.status in accepted:
        return
    by = f", through the proxy {reply.through}" if reply.through else ""
    error = HttpError(
        f"the server answers {reply.status}{by}",
        where=bare(reply.url),
        hint=_HINTS.get(reply.status),
        status=reply.status,
    )
    error.retry_after = reply.headers.get("Retry-After")
    raise error
