"""Downloads one file whose checksum is known: resumed where it stopped, hashed while it comes."""

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
_REACH_SECONDS = 5
"""For the first connection to a host: its name and a connection, or it counts as out of reach."""
_BLOCK = 1 << 18


class DownloadError(OperationFailed):
    """The file cannot be had from there; callers go on to the next source."""


def download(url: str, checksum: str, work: Step, *, accept: str = "*/*") -> Path:
    """Fetch `url` into the cache and return the file, whose checksum is `checksum`.

    A part that an earlier run has left is hashed and continued. The caller removes the file when it
    has used it.

    Args:
        checksum: `<algorithm>:<hex>`, as `sha256:…` or `sha512:…`.
        accept: the media types that are asked for.

    Raises:
        DownloadError: the host cannot be reached or is silent, or what it sends is another file.
    """
    algorithm, _, pinned = checksum.partition(":")
    request = urllib.request.Request(  # noqa: S310  of the pins, or of a site's own mirror
        url, headers={"Accept-Encoding": "identity", "Accept": accept}
    )
    folder = root() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"{algorithm}-{pinned}"
    part = done.with_name(f"{done.name}.part")
    _require_host(url)
    resumed = part.exists()
    found = _persist(request, part, algorithm, work)
    if found != pinned and resumed:
        # what the earlier run has left may be the wrong half
        part.unlink()
        found = _persist(request, part, algorithm, work)
    if found != pinned:
        part.unlink()
        raise DownloadError(f"{url} has {algorithm} {found}, pinned is {pinned}")
    part.replace(done)
    return done


def _persist(request: urllib.request.Request, part: Path, algorithm: str, work: Step) -> str:
    """Get the whole file into `part`, over lost connections; return its digest in hex."""
    attempt, url = 1, request.full_url
    while True:
        try:
            return _continue(request, part, algorithm, work)
        except urllib.error.HTTPError as error:
            if error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR or attempt == _ATTEMPTS:
                raise DownloadError(f"{url} answers {error.code} {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == _ATTEMPTS:
                raise DownloadError(f"{url}: {getattr(error, 'reason', error)}") from error
        attempt += 1
        work.note(f"connection lost, attempt {attempt} of {_ATTEMPTS}")
        time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 2))


def _continue(request: urllib.request.Request, part: Path, algorithm: str, work: Step) -> str:
    """Get what is missing in `part`; return the digest of the whole."""
    digest = hashlib.new(algorithm)
    have = _hash_part(part, digest)
    request.remove_header("Range")
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
            digest, have = hashlib.new(algorithm), 0
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
                    raise DownloadError(f"{request.full_url} sends over {MAX_BYTES >> 20} MiB")
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
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return True  # the proxy knows, and it answers
    return _reachable(host, parts.port or (80 if parts.scheme == "http" else 443))


def _require_host(url: str) -> None:
    if not is_reachable(url):
        raise DownloadError(f"{urllib.parse.urlsplit(url).hostname} cannot be reached")


@functools.cache
def _reachable(host: str, port: int) -> bool:
    """Ask once per host and not for long: behind an air gap neither resolver nor host may answer.

    Without this each file would wait for every attempt's own limit, one after the other.
    """
    answers: list[bool] = []

    def ask() -> None:
        try:
            socket.create_connection((host, port), timeout=_REACH_SECONDS).close()
            answers.append(True)
        except OSError:
            return  # no answer is the answer

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_REACH_SECONDS)
    return bool(answers)
