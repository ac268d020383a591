"""Small documents over HTTPS: pages of a package index, metadata of wheels."""

from __future__ import annotations

import datetime
import http.client
import ssl
import time
import urllib.parse
from typing import Self

from mlops_infra.errors import OperationFailed
from offline_bundle.fetch.retrying import judge
from offline_bundle.registry import Pool, RegistryError
from offline_bundle.registry.credentials import Credentials

_SILENCE_SECONDS = 30.0
_MAX_REDIRECTS = 5


class Documents:
    """Reads documents, with connections that stay open; safe to use from many threads."""

    def __init__(self) -> None:
        context = ssl.create_default_context()
        self._pool = Pool(lambda _: context, _SILENCE_SECONDS)

    def get(self, url: str, *, accept: str = "*/*") -> bytes:
        """The whole document.

        Raises:
            OperationFailed: it cannot be had.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._once(url, accept)
            except (OSError, http.client.HTTPException, RegistryError) as error:
                verdict = judge(error, attempt, attempt, datetime.datetime.now(datetime.UTC))
                if not verdict.again:
                    told = str(error).partition("\n")[0]
                    hint = "check the network, or set network.packages to a reachable index"
                    host = urllib.parse.urlsplit(url)
                    where = f"{host.scheme}://{host.hostname}{host.path}"
                    raise OperationFailed(f"no answer: {told}", where=where, hint=hint) from error
                time.sleep(verdict.pause)

    def _once(self, url: str, accept: str) -> bytes:
        for _ in range(_MAX_REDIRECTS):
            with self._pool.send("GET", bare(url), {"Accept": accept, **_basic(url)}) as reply:
                content = reply.document()
                if reply.status in (301, 302, 303, 307, 308):
                    url = urllib.parse.urljoin(bare(url), reply.headers.get("Location", ""))
                    continue
                if reply.status != 200:
                    raise RegistryError(f"the index answers {reply.status}", status=reply.status)
                return content
        raise RegistryError("redirects too often")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.close()


def bare(url: str) -> str:
    """The URL without a name and a password."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _basic(url: str) -> dict[str, str]:
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return {}
    name = urllib.parse.unquote(parts.username)
    return {"Authorization": Credentials(name, urllib.parse.unquote(parts.password or "")).basic}
