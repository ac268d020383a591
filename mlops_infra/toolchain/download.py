"""Downloads one file whose sha256 is known: resumed where it stopped, hashed while it comes."""

from __future__ import annotations

import functools
import hashlib
import http
import http.client
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Step
from mlops_infra.toolchain.store import root

MAX_BYTES = 1 << 30
"""No archive of ours comes near; a server that sends more is not the one that was meant."""

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5
_SILENCE_SECONDS = 30
"""Without a byte for so long the connection counts as lost."""
_RESOLVE_SECONDS = 5
_BLOCK = 1 << 18


class DownloadError(OperationFailed):
    """The file cannot be had from there; callers go on to the next source."""


def download(url: str, sha256: str, work: Step) -> Path:
    """Fetch `url` into the cache and return the file, whose sha256 is `sha256`.

    A part that an earlier run has left is hashed and continued. The caller removes the file when it
    has used it.

    Raises:
        DownloadError: the host is unknown or silent, or what it sends is another file.
    """
    folder = root() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / sha256
    part = folder / f"{sha256}.part"
    _require_host(url)
    resumed = part.exists()
    digest = _persist(url, part, work)
    if digest != sha256 and resumed:
        # what the earlier run has left may be the wrong half
        part.unlink()
        digest = _persist(url, part, work)
    if digest != sha256:
        part.unlink()
        raise DownloadError(f"{url} has sha256 {digest}, pinned is {sha256}")
    part.replace(done)
    return done


def _persist(url: str, part: Path, work: Step) -> str:
    """Get the whole file into `part`, over lost connections; return its sha256."""
    attempt = 1
    while True:
        try:
            return _continue(url, part, work)
        except urllib.error.HTTPError as error:
            if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR or attempt == _ATTEMPTS:
                raise DownloadError(f"{url} answers {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS:
                raise DownloadError(f"{url}: {getattr(error, 'reason', error)}") from error
        attempt += 1
        work.note(f"connection lost, attempt {attempt} of {_ATTEMPTS}")
        time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 2))


def _continue(url: str, part: Path, work: Step) -> str:
    """Get what is missing in `part`; return the sha256 of the whole."""
    digest = hashlib.sha256()
    have = _hash_part(part, digest)
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        reply = urllib.request.urlopen(request, timeout=_SILENCE_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return digest.hexdigest()  # the part is whole already, or it is not this file at all
    with reply:
        if have and not _continues(reply, have):
            digest, have = hashlib.sha256(), 0
        length = reply.headers.get("Content-Length")
        total = have + int(length) if length else None
        work.advance(have - work.done, total=total)
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while block := reply.read(_BLOCK):
                file.write(block)
                digest.update(block)
                have += len(block)
                work.advance(len(block))
                if have > MAX_BYTES:
                    raise DownloadError(f"{url} sends more than {MAX_BYTES >> 20} MiB")
    if total is not None and have < total:
        raise ConnectionError(f"the connection ended {total - have} bytes early")
    return digest.hexdigest()


def _continues(reply: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer begins where our part ends; many servers send the whole file instead."""
    partial = reply.status == http.HTTPStatus.PARTIAL_CONTENT
    return partial and reply.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _hash_part(part: Path, digest: hashlib._Hash) -> int:
    if not part.exists():
        return 0
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return part.stat().st_size


def is_reachable(url: str) -> bool:
    """Whether the host of `url` is known here, or a proxy stands before it; asked once per host."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    proxied = parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
    return proxied or _resolves(host)


def _require_host(url: str) -> None:
    if not is_reachable(url):
        raise DownloadError(f"the host {urllib.parse.urlsplit(url).hostname} is not known here")


@functools.cache
def _resolves(host: str) -> bool:
    """Ask once per host and not for long: behind an air gap a resolver may never answer."""
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(socket.getaddrinfo(host, None))
        except OSError:
            return  # no answer is the answer

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_RESOLVE_SECONDS)
    return bool(answers)
