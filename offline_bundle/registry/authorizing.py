"""Answers to `WWW-Authenticate`: Basic, and Bearer with tokens that are traded and kept.

Of several challenges the first that can be answered is: Basic needs credentials, Bearer may do
without, others (Negotiate, Digest) are passed over. Where an answer is refused, the next one is
tried.

Protocol: github.com/distribution/distribution, docs/content/spec/auth.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_infra.transport import HttpError, Pool, Reply, bare
from mlops_infra.transport.challenges import Challenge, challenges
from mlops_infra.transport.client import MAX_REDIRECTS, REDIRECTS, redirected
from mlops_infra.transport.origin import Origin
from offline_bundle.registry.credentials import Credentials
from offline_bundle.registry.errors import LOGIN, RegistryError

_EARLY_SECONDS = 5.0
"""A token that ends so soon is not used any more."""
_LIFETIME_SECONDS = 60.0
"""What the specification says where the server does not."""
_HEADER = re.compile(r"[!-~]+")
"""What may stand in a header behind `Bearer`."""


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
            token = self._tokens.get(scope)
            if token and token.ends - _EARLY_SECONDS > self._clock():
                return {"Authorization": f"Bearer {token.value}"}
            if self._basic and self._credentials:
                return {"Authorization": self._credentials.basic}
            return {}

    def answer(self, headers: Iterable[str], scope: str, refused: str | None) -> bool:
        """Learn from a 401; True where it is worth asking again.

        Args:
            headers: every value of `WWW-Authenticate`.
            scope: what is to be done; several are separated by blanks.
            refused: the `Authorization` that was not good enough.

        Raises:
            HttpError: no token can be had, and no other challenge be answered.
        """
        with self._lock:
            known = self._tokens.get(scope)
            if known and refused != f"Bearer {known.value}" and known.ends > self._clock():
                return True  # another thread has traded one meanwhile
            self._tokens.pop(scope, None)
            if not self._asked:
                self._credentials, self._asked = self._find(), True
            failed: HttpError | None = None
            for challenge in challenges(headers):
                try:
                    if self._answered(challenge, scope, refused):
                        return True
                except HttpError as error:
                    failed = failed or error
            if failed is not None:
                raise failed
        return False

    def _answered(self, challenge: Challenge, scope: str, refused: str | None) -> bool:
        if challenge.scheme == "basic":
            if self._credentials is None or refused == self._credentials.basic:
                return False
            self._basic = True
            return True
        if challenge.scheme == "bearer" and challenge.parameters.get("realm"):
            self._tokens[scope] = self._trade(challenge.parameters, scope)
            return True
        return False

    def _trade(self, parameters: Mapping[str, str], scope: str) -> _Token:
        """Ask the token server; what it answers is the outcome of the request that needs it."""
        realm = parameters["realm"]
        if self._secure and not realm.startswith("https://"):
            raise RegistryError("the registry requests a token exchange without TLS; refused")
        scopes = _scopes(scope, parameters.get("scope", ""))
        service = {"service": parameters["service"]} if parameters.get("service") else {}
        with self._request(realm, scopes, service) as reply:
            if reply.status != 200:
                error = RegistryError(
                    f"the token server answers {reply.status}",
                    where=urllib.parse.urlsplit(bare(realm)).netloc,
                    hint=LOGIN,
                    status=reply.status,
                )
                error.retry_after = reply.headers.get("Retry-After")
                raise error
            return self._read(reply.document())

    def _request(self, realm: str, scopes: Sequence[str], service: dict[str, str]) -> Reply:
        if self._credentials and self._credentials.identity_token:
            form = {
                "grant_type": "refresh_token",
                "client_id": "mlops-infra",
                "refresh_token": self._credentials.identity_token,
                **service,
                "scope": " ".join(scopes),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._pool.send("POST", realm, headers, urllib.parse.urlencode(form).encode())
        # one `scope=` each: Quay and others do not take several in one
        query = [*service.items(), *(("scope", each) for each in scopes)]
        url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
        headers = {"Authorization": self._credentials.basic} if self._credentials else {}
        reply = self._pool.send("GET", url, headers)
        for _ in range(MAX_REDIRECTS):
            if reply.status not in REDIRECTS:
                break
            reply.close()
            url = redirected(reply)
            same = Origin.of(url) == Origin.of(realm)
            reply = self._pool.send("GET", url, headers if same else {})
        return reply

    def _read(self, document: bytes) -> _Token:
        try:
            raw = json.loads(document)
            value = raw.get("token") or raw["access_token"]
            seconds = float(raw.get("expires_in") or _LIFETIME_SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RegistryError("the token server's response has no token") from None
        if not isinstance(value, str) or not _HEADER.fullmatch(value):
            raise RegistryError("the token server's response has no usable token")
        return _Token(value, self._clock() + seconds)


def _scopes(own: str, stated: str) -> list[str]:
    """What a token is asked for: by the challenge, since a mirror may know a repository by another
    name; with the actions that we need, and with further repositories of ours (a mount's origin).
    """
    wanted: dict[str, set[str]] = {}
    ours = own.split()
    for text in stated.split():
        name, _, actions = text.rpartition(":")
        wanted.setdefault(name, set()).update(filter(None, actions.split(",")))
    for text in ours:
        name, _, actions = text.rpartition(":")
        if name in wanted or not stated or len(ours) > 1:
            wanted.setdefault(name, set()).update(actions.split(","))
    return [f"{name}:{','.join(sorted(actions))}" for name, actions in wanted.items()]
