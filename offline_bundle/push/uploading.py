"""Brings one blob into a repository: whole in one request, or in chunks that can be resumed.

The bytes go from the medium to the socket (`sendfile`); the registry hashes them, as it must
(distribution-spec 1.1), so hashing them here as well would only take its processor away.
"""

from __future__ import annotations

import http.client
import re
import urllib.parse
from collections.abc import Callable

from mlops_infra.errors import FoundError
from mlops_infra.transport import TROUBLE, HttpError, Origin, Reply, Streamed
from offline_bundle.push.sending import FromFiles
from offline_bundle.registry import Notes, Registry, RegistryError, require
from offline_bundle.sealing import Entry
from offline_bundle.volumes import Source

LARGE = 2 << 30
"""Bytes from which a blob goes in chunks: a connection lost at the end would cost too much."""
CHUNK = 256 << 20
SMALL_CHUNK = 8 << 20
"""After 413: many proxies are set to take 10 MiB."""
LEAST_CHUNK = 256 << 10
_MAX_RESTARTS = 3
_MOST_RESTARTS = {401: 1, 404: _MAX_RESTARTS, 416: _MAX_RESTARTS}
"""Statuses after which the same blob is begun anew, and how often.

401: the token ended while we sent, and a new one was traded; not often, or wrong credentials would
lock an account. 404 and 416: the registry has lost the session, or a part of it.
"""
_TOO_LARGE = 413
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]+)")


class Uploader:
    """Uploads to one registry; remembers the size of request that it refuses."""

    def __init__(
        self,
        registry: Registry,
        source: Source,
        advance: Callable[[int], None],
        notes: Notes,
    ) -> None:
        self._registry = registry
        self._notes = notes
        self._source = source
        self._advance = advance
        self._chunk: int | None = None
        """Bytes per request once the registry has answered 413."""

    def mount(self, repository: str, digest: str, origin: str) -> bool:
        """Link a blob of the repository `origin`; False where the registry does not do that.

        A mount only saves an upload. 202 means that the registry does not mount, or not this blob;
        any refusal (400, 401, 403, 404, 405, 5xx, no token for both repositories) means the same.

        Raises:
            OSError, http.client.HTTPException: the connection.
        """
        query = urllib.parse.urlencode({"mount": digest, "from": origin})
        path = f"/v2/{repository}/blobs/uploads/?{query}"
        scope = f"{_scope(repository)} repository:{origin}:pull"
        try:
            with self._registry.send("POST", path, scope=scope, body=b"") as reply:
                reply.document()
                if reply.status == 202 and reply.headers.get("Location"):
                    self._cancel(_location(reply), repository)
                require(reply, b"", (201, 202), repository)
                return reply.status == 201
        except HttpError as error:
            self._notes.add(
                f"{self._registry.host}: {error.what}, asked to link a blob of another repository;"
                " it was sent once more"
            )
            return False

    def upload(self, repository: str, digest: str, entry: Entry) -> None:
        """Send a blob; one attempt, though a lost session or a refused size is dealt with here.

        The image needs it. Of POST, PATCH and PUT 401, 404, 413 and 416 begin the blob anew, a few
        times; 429 and 5xx are the caller's to repeat; every other refusal is the end.

        Raises:
            FoundError: the registry says that the bytes are not those of the digest.
            HttpError, OSError, http.client.HTTPException: the registry or the connection.
        """
        restart = 0
        while True:
            session: list[str] = []
            try:
                self._attempt(session, repository, digest, entry)
            except HttpError as error:
                restart += 1
                if error.status == _TOO_LARGE and restart <= _MAX_RESTARTS:
                    self._shrink(error)
                elif restart > _MOST_RESTARTS.get(error.status or 0, 0):
                    for location in session:
                        self._cancel(location, repository)
                    raise
            else:
                return

    def _attempt(self, session: list[str], repository: str, digest: str, entry: Entry) -> None:
        """Open a session, tell it to the caller, and send the blob."""
        location, least = self._open(repository, digest)
        session.append(location)
        if self._chunk is None and entry.size <= LARGE:
            self._whole(location, repository, digest, entry)
        else:
            self._chunked(location, repository, digest, entry, least)

    def _shrink(self, error: HttpError) -> None:
        smaller = SMALL_CHUNK if self._chunk is None else self._chunk // 4
        if smaller < LEAST_CHUNK:
            raise error
        self._chunk = smaller

    def _open(self, repository: str, digest: str) -> tuple[str, int]:
        path = f"/v2/{repository}/blobs/uploads/"
        with self._registry.send("POST", path, scope=_scope(repository), body=b"") as reply:
            content = reply.document()
            self._require(reply, content, (202,), repository, digest)
            least = reply.headers.get("OCI-Chunk-Min-Length", "0")
            return _location(reply), int(least) if least.isdigit() else 0

    def _whole(self, location: str, repository: str, digest: str, entry: Entry) -> None:
        body = FromFiles(self._source.pieces(entry), self._advance)
        url = _with_digest(location, digest)
        try:
            with self._send("PUT", url, repository, body) as reply:
                self._require(reply, reply.document(), (201,), repository, digest)
        except BaseException:
            body.take_back()
            raise

    def _chunked(
        self, location: str, repository: str, digest: str, entry: Entry, least: int
    ) -> None:
        at, failed_at = 0, -1
        while at < entry.size:
            size = min(max(self._chunk or CHUNK, least), entry.size - at)
            try:
                location = self._patch(location, repository, digest, entry, at, size)
                at += size
            except (OSError, http.client.HTTPException):
                if failed_at == at:
                    raise  # twice at the same place: the caller waits and starts again
                failed_at = at
                location, at = self._resume(location, repository, digest, at)
        url = _with_digest(location, digest)
        with self._send("PUT", url, repository, b"") as reply:
            self._require(reply, reply.document(), (201,), repository, digest)

    def _patch(
        self, location: str, repository: str, digest: str, entry: Entry, at: int, size: int
    ) -> str:
        body = FromFiles(self._source.pieces(entry, at, size), self._advance)
        extra = {"Content-Range": f"{at}-{at + size - 1}"}
        try:
            with self._send("PATCH", location, repository, body, extra) as reply:
                self._require(reply, reply.document(), (202,), repository, digest)
                return _location(reply)
        except BaseException:
            body.take_back()
            raise

    def _send(
        self,
        method: str,
        url: str,
        repository: str,
        body: Streamed | bytes | None,
        extra: dict[str, str] | None = None,
    ) -> Reply:
        """Ask for an upload's URL; one on another host gets no credentials of this one."""
        headers = dict(extra or {})
        if body is not None:
            headers["Content-Type"] = "application/octet-stream"
        own, other = Origin.of(self._registry.base), Origin.of(url)
        if own.scheme == "https" and other.scheme != "https":
            raise RegistryError(
                f"{self._registry.host} sends uploads to plain HTTP; refused",
                where=other.host,
                hint="the registry's proxy has to set X-Forwarded-Proto",
            )
        if own != other:
            return self._registry.pool.send(method, url, headers, body)
        scope = _scope(repository)
        return self._registry.send(method, url, scope=scope, headers=headers, body=body)

    def _resume(self, location: str, repository: str, digest: str, at: int) -> tuple[str, int]:
        """Ask how far a session has come.

        Some registries do not tell. Whatever they refuse it with, the blob is begun anew.
        """
        try:
            with self._send("GET", location, repository, None) as reply:
                self._require(reply, reply.document(), (204,), repository, digest)
                found = _RANGE.fullmatch(reply.headers.get("Range", ""))
                # `0-0` is what distribution says of an empty session
                end = int(found[1]) + 1 if found and int(found[1]) else 0
                return _location(reply) if reply.headers.get("Location") else location, end
        except HttpError as error:
            told = f"the connection was lost after {at} bytes, and the upload cannot be resumed"
            raise ConnectionError(f"{told}: {error.what}") from error

    def _cancel(self, location: str, repository: str) -> None:
        """Give a session back; a registry that refuses that in any way forgets it by itself."""
        try:
            with self._send("DELETE", location, repository, None) as reply:
                reply.document()
        except TROUBLE:
            return

    def _require(
        self, reply: Reply, content: bytes, accepted: tuple[int, ...], repository: str, digest: str
    ) -> None:
        where = f"{self._registry.host}/{repository}@{digest}"
        if reply.status == 400 and b"DIGEST_INVALID" in content:
            raise FoundError(
                f"the blob {digest} is damaged: the registry refuses its bytes",
                [digest],
                where=where,
                hint="`mlops-infra bundle verify DIR` lists all damaged files",
            )
        require(reply, content, accepted, where)


def _scope(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _location(reply: Reply) -> str:
    """Relative or absolute, with whatever query the registry wants back."""
    found = reply.headers.get("Location")
    if not found:
        raise RegistryError("the registry's upload has no Location", where=reply.url)
    return urllib.parse.urljoin(reply.url, found)


def _with_digest(location: str, digest: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}digest={urllib.parse.quote(digest)}"
