"""Downloads one file whose checksum is known: resumed where it stopped, hashed while it comes."""

from __future__ import annotations

import functools
import hashlib
import http
import re
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Step
from mlops_infra.toolchain.store import root
from mlops_infra.transport import TROUBLE, Client, HttpError, Origin, Reply, bare
from mlops_infra.transport.client import require_success
from mlops_infra.transport.proxies import proxy_of
from mlops_infra.transport.retrying import persist

MAX_BYTES = 1 << 30
"""No archive of ours comes near; a server that sends more is not the one that was meant."""

_ATTEMPTS = 4
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
    folder = root() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"{algorithm}-{pinned}"
    part = done.with_name(f"{done.name}.part")
    _require_host(url)
    resumed = part.exists()
    with Client() as client:
        transfer = _Transfer(client, url, accept, part, algorithm, work)
        found = transfer.run()
        if found != pinned and resumed:
            # what the earlier run has left may be the wrong half
            part.unlink()
            found = transfer.run()
    if found != pinned:
        part.unlink()
        raise DownloadError(f"{bare(url)} has {algorithm} {found}, pinned is {pinned}")
    part.replace(done)
    return done


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One file on its way into `part`."""

    client: Client
    url: str
    accept: str
    part: Path
    algorithm: str
    work: Step

    def run(self) -> str:
        """Get the whole file, over lost connections; return its digest in hex."""
        try:
            return persist(
                self._continue,
                attempts=_ATTEMPTS,
                told=lambda _: self.work.note("connection lost, trying again"),
            )
        except HttpError as error:
            told = f"{bare(self.url)}: {error.what}"
            raise DownloadError(told, where=error.where, hint=error.hint) from error
        except TROUBLE as error:
            raise DownloadError(f"{bare(self.url)}: {error}") from error

    def _continue(self) -> str:
        """Get what is missing in `part`; return the digest of the whole."""
        digest = hashlib.new(self.algorithm)
        have = _hash_part(self.part, digest)
        asked = {"Range": f"bytes={have}-"} if have else {}
        with self.client.open(self.url, {"Accept": self.accept, **asked}) as reply:
            if have and reply.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return digest.hexdigest()  # it is whole already, or it is not this file at all
            require_success(reply, (200, 206) if have else (200,))
            if have and not _continues(reply, have):
                digest, have = hashlib.new(self.algorithm), 0
            self._pour(reply, digest, have)
        return digest.hexdigest()

    def _pour(self, reply: Reply, digest: hashlib._Hash, have: int) -> None:
        total = None if reply.length is None else have + reply.length
        self.work.advance(have - self.work.done, total=total)
        view = memoryview(bytearray(_BLOCK))
        with self.part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while count := reply.readinto(view):
                file.write(view[:count])
                digest.update(view[:count])
                have += count
                self.work.advance(count)
                if have > MAX_BYTES:
                    raise DownloadError(f"{bare(self.url)} sends over {MAX_BYTES >> 20} MiB")


def _continues(reply: Reply, have: int) -> bool:
    """Whether the answer begins where our part ends; many servers send the whole file instead."""
    stated = re.match(r"(?i)\s*bytes[ =](\d+)-", reply.headers.get("Content-Range", ""))
    return reply.status == 206 and stated is not None and int(stated[1]) == have


def _hash_part(part: Path, digest: hashlib._Hash) -> int:
    if not part.exists():
        return 0
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return part.stat().st_size


def is_reachable(url: str) -> bool:
    """Whether the host of `url` is known here, or a proxy stands before it; asked once per host."""
    origin = Origin.of(url)
    if proxy_of(origin) is not None:
        return True  # the proxy knows, and it answers
    return _reachable(origin.host, origin.port)


def _require_host(url: str) -> None:
    if not is_reachable(url):
        raise DownloadError(f"{Origin.of(url).host} cannot be reached")


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
