"""Answers to `WWW-Authenticate`: Basic, and Bearer with tokens that are traded and kept.

Protocol: github.com/distribution/distribution, docs/content/spec/auth.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from offline_bundle.registry.credentials import Credentials
from offline_bundle.registry.errors import RegistryError
from offline_bundle.registry.transport import Pool

_EARLY_SECONDS = 5.0
"""A token that ends so soon is not used any more."""
_LIFETIME_SECONDS = 60.0
"""What the specification says where the server does not."""
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    ends: float


class Authorizer:
    """Keeps the tokens of one registry; one token per scope, shared by all threads."""

    def __init__(
        self,
        pool: Pool,
        credentials: Callable[[], Credentials | None],
        *,
        secure: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._find = credentials
        self._secure = secure
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = False
        self._credentials: Credentials | None = None
        self._tokens: dict[str, _Token] = {}
        self._basic = False

    def header(self, scope: str) -> Mapping[str, str]:
        """What is known to work for `scope` (`repository:a/b:pull`); empty before a challenge."""
        with self._lock:
            if self._basic and self._credentials:
                return {"Authorization": self._credentials.basic}
            token = self._tokens.get(scope)
            if token and token.ends - _EARLY_SECONDS > self._clock():
                return {"Authorization": f"Bearer {token.value}"}
            return {}

    def answer(self, challenge: str | None, scope: str, refused: str | None) -> bool:
        """Learn from a 401; True where it is worth asking again.

        Args:
            challenge: the header `WWW-Authenticate`.
            scope: what is to be done.
            refused: the `Authorization` that was not good enough.
        """
        scheme, _, rest = (challenge or "").partition(" ")
        with self._lock:
            known = self._tokens.get(scope)
            if known and refused != f"Bearer {known.value}" and known.ends > self._clock():
                return True  # another thread has traded one meanwhile
            self._tokens.pop(scope, None)
            if not self._asked:
                self._credentials, self._asked = self._find(), True
            if scheme.lower() == "basic":
                self._basic = self._credentials is not None
                return self._basic and refused is None
            if scheme.lower() == "bearer":
                self._tokens[scope] = self._trade(_parameters(rest), scope)
                return True
        return False

    def _trade(self, parameters: Mapping[str, str], scope: str) -> _Token:
        realm = parameters.get("realm", "")
        if self._secure and not realm.startswith("https://"):
            raise RegistryError("the registry requests a token exchange without TLS; refused")
        query = {"service": parameters.get("service", ""), "scope": scope}
        headers: dict[str, str] = {}
        body: bytes | None = None
        url = realm
        if self._credentials and self._credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "client_id": "mlops-infra",
                "refresh_token": self._credentials.identity_token,
                **query,
            }
            body = urllib.parse.urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        else:
            url += ("&" if "?" in realm else "?") + urllib.parse.urlencode(query)
            if self._credentials:
                headers["Authorization"] = self._credentials.basic
        with self._pool.send("POST" if body else "GET", url, headers, body) as reply:
            if reply.status != 200:
                raise RegistryError(
                    f"the token server answers {reply.status}",
                    where=urllib.parse.urlsplit(realm).netloc,
                    hint="log in to the registry: docker login REGISTRY",
                    status=401 if reply.status == 401 else reply.status,
                )
            return self._read(reply.document())

    def _read(self, document: bytes) -> _Token:
        try:
            raw = json.loads(document)
            value = str(raw.get("token") or raw["access_token"])
            seconds = float(raw.get("expires_in") or _LIFETIME_SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RegistryError("the token server's response has no token") from None
        return _Token(value, self._clock() + seconds)


def _parameters(text: str) -> dict[str, str]:
    found = _PARAMETER.finditer(text)
    return {each[1].lower(): each[2] if each[2] is not None else each[3] for each in found}
