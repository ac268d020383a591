"""One registry: manifests, blobs and referrers by the distribution API 1.1."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from offline_bundle.layout import INDEX_TYPES, MANIFEST_TYPES
from offline_bundle.model import Descriptor
from offline_bundle.registry import credentials, tls
from offline_bundle.registry.authorizing import Authorizer
from offline_bundle.registry.errors import DigestMismatch, RegistryError
from offline_bundle.registry.reply import Reply
from offline_bundle.registry.settings import Settings
from offline_bundle.registry.transport import Body, Origin, Pool

_ACCEPT = ", ".join(sorted(MANIFEST_TYPES | INDEX_TYPES))
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 5
_CHALLENGES = 4
"""Requests until a 401 is final: none or an old token, a new one, one that ended under way."""
_CODE = re.compile(r"[A-Z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index, byte for byte."""

    content: bytes
    media_type: str
    digest: str


class Registry:
    """One registry host; safe to use from many threads."""

    def __init__(self, host: str, settings: Settings) -> None:
        self.host = host
        self.base = settings.base(host)
        self.concurrency = settings.host(host).concurrency
        own = Origin.of(self.base)
        to_host = tls.context(settings.host(host)) if own.scheme == "https" else None
        self._elsewhere: ssl.SSLContext | None = None
        self._settings = settings

        def chosen(origin: Origin) -> ssl.SSLContext:
            if origin == own and to_host is not None:
                return to_host
            # a client certificate is for its own host, not for where that one sends us
            name = origin.host if origin.port == 443 else f"{origin.host}:{origin.port}"
            return tls.context(settings.host(name))

        self.pool = Pool(chosen, settings.silence)
        name = urllib.parse.urlsplit(self.base).netloc if settings.host(host).mirror else host
        self._authorizer = Authorizer(
            self.pool, lambda: credentials.find(name), secure=own.scheme == "https"
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> Reply:
        """Ask for `path` (below the base, or a whole URL) with credentials; follow redirects.

        A 401 is answered once. `scope` is `repository:NAME:pull` or `…:pull,push`.

        Raises:
            RegistryError: redirects too often or to plain HTTP, or no token to be had.
            OSError, http.client.HTTPException: no connection, or it is lost or silent.
        """
        url = path if "://" in path else self.base + path
        reply = self._authorized(method, url, scope, headers or {}, body)
        for _ in range(_MAX_REDIRECTS):
            if reply.status not in _REDIRECTS or method not in ("GET", "HEAD"):
                return reply
            target = self._followed(reply)
            reply.close()
            if Origin.of(target) == Origin.of(self.base):
                reply = self._authorized(method, target, scope, headers or {}, body)
            else:
                # never our credentials: whoever answers there is not the registry
                reply = self.pool.send(method, target, headers or {}, body)
        reply.close()
        raise RegistryError(f"{self.host} redirects too often", where=path)

    def manifest(self, repository: str, target: str) -> Manifest:
        """The manifest of a tag or a digest, checked against the digest that is known of it.

        Raises:
            RegistryError: there is none, or the registry fails.
            DigestMismatch: it is another one.
            OSError, http.client.HTTPException: the connection.
        """
        path = f"/v2/{repository}/manifests/{target}"
        where = f"{self.host}/{repository}{'@' if ':' in target else ':'}{target}"
        with self.send("GET", path, scope=_pull(repository), headers={"Accept": _ACCEPT}) as reply:
            content = reply.document()
            require(reply, content, (200,), where)
            stated = reply.headers.get("Docker-Content-Digest")
            media_type = _media_type(content, reply.headers.get_content_type())
        expected = target if ":" in target else stated
        got = digest_of(content, expected)
        if expected and got != expected:
            raise DigestMismatch(
                f"the registry sends another manifest: expected {expected}, got {got}", where=where
            )
        return Manifest(content, media_type, got)

    def descriptor(self, repository: str, target: str) -> Descriptor | None:
        """What a tag names, without its content; None where there is no such manifest.

        Raises:
            RegistryError, OSError, http.client.HTTPException: see `manifest`.
        """
        path = f"/v2/{repository}/manifests/{target}"
        headers = {"Accept": _ACCEPT}
        with self.send("HEAD", path, scope=_pull(repository), headers=headers) as reply:
            if reply.status == 404:
                return None
            require(reply, b"", (200,), f"{self.host}/{repository}:{target}")
            digest = reply.headers.get("Docker-Content-Digest")
            size = reply.headers.get("Content-Length")
            kind = reply.headers.get_content_type()
        if not digest or not size:
            found = self.manifest(repository, target)
            return Descriptor(found.media_type, found.digest, len(found.content))
        return Descriptor(kind, digest, int(size))

    def blob(self, repository: str, digest: str, start: int = 0) -> Reply:
        """Open a blob from byte `start`; the caller looks at the status: 200, 206 or 416.

        Raises:
            RegistryError: another status.
            OSError, http.client.HTTPException: the connection.
        """
        # No If-Range: stores behind registries have other ETags, and would send all of it again.
        # The digest of the whole is what proves that the parts belong together.
        headers = {"Range": f"bytes={start}-"} if start else {}
        path = f"/v2/{repository}/blobs/{digest}"
        reply = self.send("GET", path, scope=_pull(repository), headers=headers)
        try:
            accepted = (200, 206, 416) if start else (200,)
            if reply.status not in accepted:
                content = reply.document()
                require(reply, content, accepted, f"{self.host}/{repository}@{digest}")
        except BaseException:
            reply.close()
            raise
        return reply

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """What refers to a manifest: by the API, else by the fallback tag; sorted by digest.

        Raises:
            RegistryError, OSError, http.client.HTTPException: see `manifest`.
        """
        path: str | None = f"/v2/{repository}/referrers/{digest}"
        found: dict[str, Descriptor] = {}
        while path:
            with self.send("GET", path, scope=_pull(repository)) as reply:
                content = reply.document()
                if reply.status in (400, 404, 405):  # registries before 1.1 know no referrers
                    return self._fallback(repository, digest)
                require(reply, content, (200,), f"{self.host}/{repository}@{digest}")
                kind = reply.headers.get_content_type()
                link = re.search(r'<([^>]+)>\s*;\s*rel="?next', reply.headers.get("Link", ""))
                path = urllib.parse.urljoin(reply.url, link[1]) if link else None
            if kind not in INDEX_TYPES:
                return self._fallback(repository, digest)
            found |= {each.digest: each for each in _listed(content, self.host)}
        return tuple(found[each] for each in sorted(found))

    def close(self) -> None:
        """Cut the idle connections."""
        self.pool.close()

    def _fallback(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        try:
            index = self.manifest(repository, digest.replace(":", "-"))
        except RegistryError as error:
            if error.status == 404:
                return ()
            raise
        found = {each.digest: each for each in _listed(index.content, self.host)}
        return tuple(found[each] for each in sorted(found))

    def _authorized(
        self, method: str, url: str, scope: str, headers: Mapping[str, str], body: Body
    ) -> Reply:
        for _ in range(_CHALLENGES):
            held = self._authorizer.header(scope)
            reply = self.pool.send(method, url, {**headers, **held}, body)
            if reply.status != 401:
                return reply
            challenge = reply.headers.get("WWW-Authenticate")
            with reply:
                reply.document()  # so that the connection can be used again
            learned = self._authorizer.answer(challenge, scope, held.get("Authorization"))
            if not learned or (body is not None and not isinstance(body, bytes)):
                break  # what was streamed is gone: the caller opens it again, with the new token
        raise _refused(self.host, url)

    def _followed(self, reply: Reply) -> str:
        target = urllib.parse.urljoin(reply.url, reply.headers.get("Location", ""))
        if reply.url.startswith("https://") and not target.startswith("https://"):
            reply.close()
            raise RegistryError(f"{self.host} redirects from HTTPS to plain HTTP; refused")
        return target


def require(reply: Reply, content: bytes, accepted: tuple[int, ...], where: str) -> None:
    """Raise what an answer outside of `accepted` means.

    Raises:
        RegistryError: with the status and the codes that the registry gives.
    """
    if reply.status in accepted:
        return
    try:
        errors = json.loads(content)["errors"]
        # of what a server sends, the code alone is shown: its message may quote our request
        codes = [str(each["code"]) for each in errors if _CODE.fullmatch(str(each["code"]))]
    except (ValueError, KeyError, TypeError):
        codes = []
    told = f" ({', '.join(codes)})" if codes else ""
    hints = {
        401: "log in to the registry: docker login REGISTRY",
        403: "request permission to pull there",
        404: "check the name; the image may have been removed",
    }
    error = RegistryError(
        f"the registry answers {reply.status}{told}",
        where=where,
        hint=hints.get(reply.status),
        status=reply.status,
    )
    error.retry_after = reply.headers.get("Retry-After")
    raise error


def digest_of(content: bytes, like: str | None) -> str:
    """The digest of `content`, in the algorithm of the digest `like`; SHA-256 where it is None."""
    algorithm = like.partition(":")[0] if like else "sha256"
    if algorithm not in ("sha256", "sha512"):
        raise RegistryError(f"unknown digest algorithm '{algorithm}'")
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def _refused(host: str, url: str) -> RegistryError:
    return RegistryError(
        f"{host} refuses the credentials, or none are configured",
        where=urllib.parse.urlsplit(url).path,
        hint=f"log in: docker login {host}",
        status=401,
    )


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _media_type(content: bytes, header: str) -> str:
    try:
        stated = json.loads(content).get("mediaType")
    except (ValueError, AttributeError):
        stated = None
    return str(stated or header)


def _listed(content: bytes, host: str) -> list[Descriptor]:
    try:
        return [Descriptor.of(each) for each in json.loads(content).get("manifests") or ()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RegistryError("a list of referrers cannot be read", where=host) from error
