"""Brings one blob in: hashed while it comes, continued where an earlier process has stopped."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from mlops_infra.transport import Reply
from offline_bundle.fetch.job import Job
from offline_bundle.fetch.storing import BLOCK, BlobStore
from offline_bundle.registry import DigestMismatch, Registry, RegistryError

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_buffers = threading.local()


class Receiver:
    """Transfers blobs of one build; safe to use from many threads."""

    def __init__(self, store: BlobStore, advance: Callable[[int], None]) -> None:
        self._store = store
        self._advance = advance

    def receive(self, job: Job, registry: Registry) -> None:
        """Get the blob `job` into the store; what has come stays when this fails.

        Raises:
            DigestMismatch: the bytes are not those of the digest; they are gone.
            RegistryError: the registry refuses, or sends something else.
            OSError, http.client.HTTPException: the connection is lost or silent, or the disk is
                full.
        """
        partial = self._store.partial(job.digest)
        algorithm = job.digest.partition(":")[0]
        digest = hashlib.new(algorithm)
        with _opened(partial) as file:
            have = self._resume(file, job, digest)
            if have < job.size or job.size == 0:
                start = 0 if job.whole_only else have
                with registry.blob(job.place.path, job.digest, start) as reply:
                    self._pour(reply, file, job, digest, have)
        got = f"{algorithm}:{digest.hexdigest()}"
        if got != job.digest:
            partial.unlink()
            self._count(job, 0)
            raise _mismatch(job, got)
        self._store.complete(partial, job.digest)

    def _resume(self, file: BinaryIO, job: Job, digest: hashlib._Hash) -> int:
        """Hash what an earlier attempt has left; return its length."""
        have = 0
        view = _buffer()
        while count := file.readinto(view):  # type: ignore[attr-defined]
            digest.update(view[:count])
            have += count
        if have > job.size:
            file.seek(0)
            file.truncate()
            # more than there can be: another file altogether; begin again with an empty hash
            raise ConnectionError(f"{have} bytes were left of a blob of {job.size}")
        self._count(job, have)
        return have

    def _pour(
        self, reply: Reply, file: BinaryIO, job: Job, digest: hashlib._Hash, have: int
    ) -> None:
        skip = have - _begins(reply, job)
        view = _buffer()
        while have < job.size:
            room = skip or job.size - have
            count = reply.readinto(view[:room])
            if count == 0:
                # the right status and too few bytes: what has come is good, the rest is asked for
                raise ConnectionError(f"the answer ended {job.size - have} bytes early")
            if skip:
                skip -= count
                continue
            piece = view[:count]
            file.write(piece)
            digest.update(piece)
            have += count
            self._count(job, have)

    def _count(self, job: Job, have: int) -> None:
        change, job.counted = have - job.counted, have
        if change:
            self._advance(change)


def _begins(reply: Reply, job: Job) -> int:
    """The offset of an answer's first byte: 0, or what was asked for.

    Raises:
        RegistryError: the answer is of another part or of another blob.
    """
    asked = 0 if job.whole_only else job.counted
    if reply.status == 200:
        return 0  # a server that knows no ranges: what is there already is read over
    if reply.status == 206:
        found = _RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
        whole = found and found[3] in ("*", str(job.size))
        if found and whole and int(found[1]) == asked:
            return asked
    job.whole_only = True
    stated = reply.headers.get("Content-Range", "no Content-Range")
    raise RegistryError(
        f"{job.place.host} was asked for bytes from {asked} and answers"
        f" {reply.status} with {stated}",
        where=f"{job.place.host}/{job.place.path}@{job.digest}",
        hint="range requests are unreliable there; fetching the whole blob",
        status=503,
    )


def _mismatch(job: Job, got: str) -> DigestMismatch:
    return DigestMismatch(
        f"a blob of {job.image} does not match its digest:"
        f" expected {job.digest}, got {got}; nothing was stored",
        where=f"{job.place.host}/{job.place.path}",
        hint="the registry or a proxy changes the content: tell its owner",
    )


def _opened(partial: Path) -> BinaryIO:
    partial.touch()
    # unbuffered: what was received is in the file when this process is killed
    return partial.open("r+b", buffering=0)


def _buffer() -> memoryview:
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(BLOCK))
    found: memoryview = _buffers.view
    return found
