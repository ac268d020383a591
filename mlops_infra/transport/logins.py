"""Names and passwords for servers of files: of URLs that this process was given, or of netrc.

They count for the whole server (scheme, host and port) and for no other, as pip and uv have it: an
index whose pages need a password wants it for its wheels as well. They are held in memory alone.
"""

from __future__ import annotations

import base64
import netrc
import os
import threading
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mlops_infra.transport.errors import HttpError
from mlops_infra.transport.origin import Origin

INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
"""Variables that name the package index, the first one first."""
_MORE_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Variables that name further ones, separated by blanks; with uv as `NAME=URL`."""


@dataclass(frozen=True, slots=True)
class Login:
    """A name and a password."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """Value of an `Authorization` header."""
        pair = f"{self.username}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()


class Logins:
    """What is known by server; safe to use from many threads."""

    def __init__(self, urls: Iterable[str] = ()) -> None:
        self._known: dict[Origin, Login] = {}
        self._lock = threading.Lock()
        for url in urls:
            self.remember(url)

    def remember(self, url: str) -> None:
        """Keep the name and password in `url`, if there are any, for its server."""
        parts = urllib.parse.urlsplit(url)
        if parts.username is None:
            return
        name, password = map(urllib.parse.unquote, (parts.username, parts.password or ""))
        with self._lock:
            self._known[Origin.of(url)] = Login(name, password)

    def find(self, url: str) -> Login | None:
        """The login for `url`: its own, or that of its server."""
        self.remember(url)
        with self._lock:
            return self._known.get(Origin.of(url))


_given: list[str] = []


def remember(url: str) -> None:
    """Let the name and password in `url`, an index of the configuration, count for this process."""
    _given.append(url)


def of_process() -> Logins:
    """Those of the package indexes that pip's and uv's variables and the configuration name."""
    values = (os.environ.get(name, "") for name in (*INDEX_VARIABLES, *_MORE_VARIABLES))
    found = Logins(_given)
    for word in " ".join(values).split():
        name, equals, url = word.partition("=")
        try:
            found.remember(url if equals and "://" not in name else word)
        except (HttpError, ValueError):
            continue  # a folder, or nothing that is a URL: whoever uses it says so
    return found


def of_netrc(host: str) -> Login | None:
    """That of `$NETRC`, else `~/.netrc`; shown only to a server that has asked for one.

    The file belongs to other programs. One that cannot be read is as good as none: the server's
    refusal then says what is missing.
    """
    named = os.environ.get("NETRC")
    try:
        found = netrc.netrc(named or Path.home() / ".netrc").authenticators(host)
    except (OSError, RuntimeError, UnicodeDecodeError, netrc.NetrcParseError):
        return None
    return Login(found[0] or "", found[2] or "") if found else None
