"""Files that are whole or as they were before, the hash of what they hold, and folders that go.

New content is written beside the file, handed to the disk, and takes the file's name: a reader, and
whoever comes after a power cut, finds the new content or the old one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

REMOVERS = 16
"""Threads that delete a folder. A disk mounted with `discard` gives blocks back at once: 2 ms each,
and no more for sixteen of them (4000 files on ext4: 9.2 s by `shutil.rmtree`, 0.7 s so)."""


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


def remove_tree(folder: Path, *, missing_ok: bool = False) -> None:
    """Delete a folder and all that is in it; links are deleted, not followed.

    Args:
        folder: nobody else writes into it meanwhile.
        missing_ok: it may be gone already.

    Raises:
        FileNotFoundError: there is none, and `missing_ok` is not set.
        NotADirectoryError: it is a link, or a file.
        OSError: something cannot be deleted; the rest may be gone.
    """
    if not os.path.lexists(folder):
        if missing_ok:
            return
        raise FileNotFoundError(f"no such folder: {folder}")
    if folder.is_symlink():
        raise NotADirectoryError(f"a link is no folder: {folder}")
    levels: dict[int, list[Path]] = defaultdict(list)
    levels[0].append(folder)
    with ThreadPoolExecutor(REMOVERS) as pool:
        depth = 0
        while places := levels[depth]:
            for found in pool.map(_without_files, places):
                levels[depth + 1] += found
            depth += 1
        for each in range(depth - 1, -1, -1):
            list(pool.map(os.rmdir, levels[each]))  # read, so that the first failure is raised


def _without_files(folder: Path) -> list[Path]:
    """Delete what lies in a folder but for its folders, which are returned."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            else:
                Path(entry.path).unlink()
    return folders


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder below `parent`, mode 0700, that goes with the block however it ends."""
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
    try:
        yield folder
    finally:
        remove_tree(folder, missing_ok=True)


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
