"""Files that are whole or as they were before, and the hash of what they hold.

New content is written beside the file, handed to the disk, and takes the file's name: a reader, and
whoever comes after a power cut, finds the new content or the old one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(file: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A stream whose content becomes `file` when the block ends; nothing is left where it fails.

    Args:
        file: in a folder that exists.
        mode: permissions of the file, whatever the umask.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def write(file: Path, content: bytes | str, *, mode: int = 0o644) -> None:
    """Replace `file` by `content` (text as UTF-8) in one step; as `replacing`."""
    with replacing(file, mode=mode) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


def link(file: Path, target: Path) -> None:
    """Make `file` a symbolic link to `target` in one step, whatever it was before."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(file)


def sha256(file: Path) -> str:
    """The SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def below(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, in no order; links to folders are followed.

    `Path.rglob` does not, and before Python 3.13 it cannot.
    """
    for place, _, names in os.walk(folder, followlinks=True):
        yield from (file for file in (Path(place, name) for name in names) if file.is_file())
