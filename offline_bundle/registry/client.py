"""One registry: manifests, blobs and referrers by the distribution API 1.1.

What a refusal of each request means stands beside it; the whole table is docs/decisions/0022.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from mlops_infra.transport import Body, HttpError, Origin, Pool, Reply, trust
from mlops_infra.transport.client import MAX_REDIRECTS, REDIRECTS, redirected
from mlops_infra.transport.retrying import TRANSIENT
from offline_bundle.layout import INDEX_TYPES, MANIFEST_TYPES
from offline_bundle.manifests import listed, media_type
from offline_bundle.model import Descriptor
from offline_bundle.registry import credentials
from offline_bundle.registry.authorizing import Authorizer
from offline_bundle.registry.errors import LOGIN, DigestMismatch, RegistryError
from offline_bundle.registry.settings import Host, Settings

_ACCEPT = ", ".join(sorted(MANIFEST_TYPES | INDEX_TYPES))
_CHALLENGES = 4
"""Requests until a 401 is final: none or an old token, a new one, one that ended under way."""
_CODE = re.compile(r"[A-Z_]{1,64}")
_NAME_MISSING = (
    "check the name; some registries (ECR, Harbor) take a push only into a repository or project"
    " that exists"
)
_PART_MISSING = "the registry has the manifest but lacks this part: push the image there again"
_MAX_PAGES = 1000
"""Of a list of referrers: an image with more has a registry that goes round in circles."""


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
        to_host = _context(settings.host(host)) if own.scheme == "https" else None

        def chosen(origin: Origin) -> ssl.SSLContext:
            if origin == own and to_host is not None:
                return to_host
            # a client certificate is for its own host, not for where that one sends us
            return _context(settings.host(origin.authority))

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
            HttpError: redirects too often or to plain HTTP, or no token can be had.
            OSError, http.client.HTTPException: no connection, or it is lost or silent.
        """
        url = path if "://" in path else self.base + path
        for _ in range(MAX_REDIRECTS):
            if Origin.of(url) == Origin.of(self.base):
                reply = self._authorized(method, url, scope, headers or {}, body)
            else:
                # never our credentials: whoever answers there is not the registry
                reply = self.pool.send(method, url, headers or {}, body)
            if reply.status not in REDIRECTS or method not in ("GET", "HEAD"):
                return reply
            reply.close()
            url = redirected(reply)
        raise RegistryError(f"{self.host} redirects too often", where=path)

    def manifest(self, repository: str, target: str) -> Manifest:
        """The manifest of a tag or a digest, checked against the digest that is known of it.

        Whoever asks needs it: every refusal is the end, unless it is asked within `optional`.

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
            kind = media_type(content, reply.headers.get_content_type())
        expected = target if ":" in target else stated
        got = digest_of(content, expected)
        if expected and got != expected:
            raise DigestMismatch(
                f"the registry sends another manifest: expected {expected}, got {got}", where=where
            )
        return Manifest(content, kind, got)

    def resolve(self, repository: str, target: str) -> str | None:
        """The digest that a tag names; None where there is no such manifest.

        404 means that there is none. HEAD is a short cut: where it is refused with anything else
        (proxies and object stores have rules of their own for it), or answered without a digest,
        GET is asked, and its refusal counts.

        Raises:
            HttpError, OSError, http.client.HTTPException: see `manifest`.
        """
        path = f"/v2/{repository}/manifests/{target}"
        headers = {"Accept": _ACCEPT}
        with self.send("HEAD", path, scope=_pull(repository), headers=headers) as reply:
            reply.document()
            if reply.status == 404:
                return None
            digest = reply.headers.get("Docker-Content-Digest")
            if reply.status == 200 and digest:
                return digest
            if reply.status in TRANSIENT:
                require(reply, b"", (200,), f"{self.host}/{repository}:{target}")
        try:
            return self.manifest(repository, target).digest
        except HttpError as error:
            if error.status == 404:
                return None
            raise

    def blob(self, repository: str, digest: str, start: int = 0) -> Reply:
        """Open a blob from byte `start`; the caller looks at the status: 200, 206 or 416.

        The image needs it: a refusal is the end, unless another repository has the blob.

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
                where = f"{self.host}/{repository}@{digest}"
                require(reply, content, accepted, where, missing=_PART_MISSING)
        except BaseException:
            reply.close()
            raise
        return reply

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """What refers to a manifest: by the API, else by the fallback tag; sorted by digest.

        A registry that knows no such API says so in its own way: 400, 401, 403, 404, 405, or a page
        of HTML. Each of them leads to the tag, and only the tag's refusal is raised.

        Raises:
            HttpError, OSError, http.client.HTTPException: see `manifest`.
        """
        path = f"/v2/{repository}/referrers/{digest}"
        found: dict[str, Descriptor] = {}
        for _ in range(_MAX_PAGES):
            try:
                reply = self.send("GET", path, scope=_pull(repository))
            except HttpError as error:
                if error.status is None or error.status in TRANSIENT:
                    raise
                return self._fallback(repository, digest)  # 401, or no token for it
            with reply:
                content = reply.document()
                if reply.status in TRANSIENT:
                    require(reply, content, (200,), f"{self.host}/{repository}@{digest}")
                page = listed(content) if reply.status == 200 else None
                if page is None:
                    return self._fallback(repository, digest)
                following = _next(reply)
            found |= {each.digest: each for each in page}
            if following is None:
                break
            path = following
        return tuple(found[each] for each in sorted(found))

    def close(self) -> None:
        """Cut the idle connections."""
        self.pool.close()

    def _fallback(self, repository: str, digest: str) -> tuple[Descriptor, ...]:
        """The list under the tag `sha256-<hex>`; 404 means that nobody has written one."""
        try:
            index = self.manifest(repository, digest.replace(":", "-"))
        except HttpError as error:
            if error.status == 404:
                return ()
            raise
        # some registries take the tag for the digest, and answer with the manifest itself
        page = None if index.digest == digest else listed(index.content)
        found = {each.digest: each for each in page or ()}
        return tuple(found[each] for each in sorted(found))

    def _authorized(
        self, method: str, url: str, scope: str, headers: Mapping[str, str], body: Body
    ) -> Reply:
        for _ in range(_CHALLENGES):
            held = self._authorizer.header(scope)
            reply = self.pool.send(method, url, {**headers, **held}, body)
            if reply.status != 401:
                return reply
            offered = reply.headers.get_all("WWW-Authenticate") or ()
            with reply:
                reply.document()  # so that the connection can be used again
            learned = self._authorizer.answer(offered, scope, held.get("Authorization"))
            if not learned or (body is not None and not isinstance(body, bytes)):
                break  # what was streamed is gone: the caller opens it again, with the new token
        raise _refused(self.host, url)


def require(
    reply: Reply,
    content: bytes,
    accepted: tuple[int, ...],
    where: str,
    *,
    missing: str = _NAME_MISSING,
) -> None:
    """Raise what an answer outside of `accepted` means; `missing` is the hint of a 404.

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
    told += f", through the proxy {reply.through}" if reply.through else ""
    hints = {
        401: LOGIN,
        403: "the login lacks a right there: ask the owner of the registry",
        404: missing,
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
        hint=LOGIN.replace("HOST", host),
        status=401,
    )


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _next(reply: Reply) -> str | None:
    """The URL of the next page: of the header `Link`, which may come several times or as a list."""
    for url, parameters in re.findall(
        r"<([^>]*)>([^<]*)", ", ".join(reply.headers.get_all("Link") or ())
    ):
        if re.search(r';\s*rel\s*=\s*(?:next\b|"[^"]*\bnext\b)', parameters, re.IGNORECASE):
            return urllib.parse.urljoin(reply.url, str(url))
    return None


def _context(host: Host) -> ssl.SSLContext:
    return trust.context(host.ca, host.client_certificate, host.client_key)
