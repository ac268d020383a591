"""Closes a finished folder: lists every file, signs the list."""

from __future__ import annotations

import concurrent.futures
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.files import write
from mlops_infra.progress import Sink, quiet, step
from offline_bundle import layout
from offline_bundle.model import Lock
from offline_bundle.sealing import contents as listing
from offline_bundle.sealing import keys, signature
from offline_bundle.sealing.contents import Contents, Entry
from offline_bundle.sealing.paths import require_distinct, require_safe

_KINDS = {
    layout.BLOBS: "blob",
    layout.BINARIES: "binary",
    layout.PLUGINS: "plugin",
    layout.WHEELS: "wheel",
    layout.FILES: "file",
    layout.SBOM: "sbom",
}
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Sealed:
    """What `seal` has written."""

    identity: str
    """sha256 of bundle.json: the name of this set of files."""
    contents: Contents
    signed: bool


def seal(
    folder: Path,
    lock: Lock,
    *,
    key: Path | None,
    held: frozenset[str] = frozenset(),
    sink: Sink = quiet,
) -> Sealed:
    """Write `bundle.json` over every file in `folder`, and its signature where `key` is given.

    Blobs are taken at their name: whoever wrote them has hashed them. Blobs of the lock whose
    sha256 (hex) is in `held` may be missing: a differential bundle leaves them to its base.

    Raises:
        OperationFailed: a blob of the lock is missing or has another size.
        InputError: the folder holds something that cannot be carried, such as a symbolic link.
        MissingError: the key cannot be read.
    """
    private = keys.read_private(key) if key else None
    files = list(_files(folder))
    with step(sink, "Listing and signing", total=len(files), unit="files") as work:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            found = {}
            for entry in pool.map(lambda path: _entry(folder, path), files):
                found[entry.path] = entry
                work.advance()
        _require_blobs(lock, found, held)
        require_distinct(found)
        made = Contents(
            lock.stack, lock.platform, lock.python, tuple(found[path] for path in sorted(found))
        )
        raw = made.encode()
        for stale in (layout.SIGNATURE, layout.SIGSTORE):
            (folder / stale).unlink(missing_ok=True)
        write(folder / layout.BUNDLE, raw)
        if private is not None:
            text = signature.sign(raw, private)
            write(folder / layout.SIGNATURE, text)
            document = signature.sigstore(raw, text, private.public_key())
            write(folder / layout.SIGSTORE, document)
    return Sealed(listing.identity(raw), made, private is not None)


def _files(folder: Path) -> Iterator[str]:
    for name, folders, files in os.walk(folder):
        here = Path(name)
        if here == folder and layout.WORK in folders:
            folders.remove(layout.WORK)
        for each in (*folders, *files):
            mode = (here / each).lstat().st_mode
            if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
                raise InputError(
                    "a bundle can only contain files and folders",
                    where=str(here / each),
                    hint="replace the link by its target, then build again",
                )
        for each in files:
            path = (here / each).relative_to(folder).as_posix()
            if path not in layout.UNLISTED:
                yield require_safe(path)


def _entry(folder: Path, path: str) -> Entry:
    file = folder / path
    top, _, rest = path.partition("/")
    kind = _KINDS.get(top, "layout") if rest else "layout"
    if path.startswith(f"{layout.BLOBS}/sha256/"):
        return Entry(path, kind, file.stat().st_size, file.name)
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return Entry(path, kind, size, digest.hexdigest())


def _require_blobs(lock: Lock, found: dict[str, Entry], held: frozenset[str]) -> None:
    for digest, size in lock.blobs.items():
        path = layout.blob_path(digest)
        encoded = path.rpartition("/")[2]
        if path not in found and encoded in held:
            found[path] = Entry(path, "blob", size, encoded)
        if path not in found or found[path].size != size:
            raise OperationFailed(
                f"the blob {digest} is {'truncated' if path in found else 'missing'}",
                where=path,
                hint="build again: completed work is kept",
            )
