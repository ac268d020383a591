"""Reads a Debian package: an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`.

Nothing is run: maintainer scripts are never looked at. Format: deb(5).
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

from mlops_infra.errors import OperationFailed
from mlops_infra.images.tree import Entry, Slice, Tree, clean

_BLOCK = 1 << 20
_MAGIC = b"!<arch>\n"
_HEADER = 60
_LICENCE = re.compile(r"^Files: *\n? *\*\n(?:.+\n)*?License: *(.+)$", re.MULTILINE)
_UNPACKED_MAX = 4 * 1024**3
"""No package of ours is near it; a small archive that swells beyond is an attack."""


def members(deb: BinaryIO, *, where: str) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each member of the outer archive.

    Raises:
        OperationFailed: it is no `ar` archive, or it is cut short.
    """
    if deb.read(len(_MAGIC)) != _MAGIC:
        raise _damaged("it is not an ar archive", where)
    end = deb.seek(0, io.SEEK_END)
    offset = len(_MAGIC)
    while offset < end:
        deb.seek(offset)
        header = deb.read(_HEADER)
        size = header[48:58].strip()
        if len(header) < _HEADER or header[58:] != b"`\n" or not size.isdigit():
            raise _damaged("a member's header is malformed", where)
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        offset += _HEADER
        if offset + int(size) > end:
            raise _damaged(f"'{name}' is truncated", where)
        yield name, offset, int(size)
        offset += int(size) + int(size) % 2


def unpack(package: Path, tree: Tree, scratch: Path) -> bytes:
    """Add the files of `package` to `tree` and return its control file.

    The data archive is decompressed once into `scratch` (a file that must outlive the tree), and
    the entries point into it: contents are never held in memory.

    Raises:
        OperationFailed: the package is malformed, or an entry would leave the image.
    """
    where = package.name
    control = b""
    with package.open("rb") as deb:
        for name, offset, size in members(deb, where=where):
            if name.startswith(("control.tar", "data.tar")):
                deb.seek(offset)
                part = io.BytesIO(deb.read(size))
                if name.startswith("control.tar"):
                    control = _control(_decompressed(part, name, io.BytesIO(), where), where)
                else:
                    with scratch.open("w+b") as plain:
                        _decompressed(part, name, plain, where)
                        _add(plain, scratch, tree, where)
    if not control:
        raise _damaged("it has no control file", where)
    return control


def licence(tree: Tree, package: str) -> str | None:
    """The licence of most files of `package`, where its copyright file is machine-readable.

    Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
    """
    entry = tree.get(f"usr/share/doc/{package}/copyright")
    if entry is None or entry.kind != "file":
        return None
    found = _LICENCE.search(entry.read().decode("utf-8", "replace"))
    return found[1].strip() if found else None


def _decompressed(part: BinaryIO, name: str, into: IO[bytes], where: str) -> IO[bytes]:
    openers: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
        ".xz": lambda raw: cast("IO[bytes]", lzma.open(raw)),  # noqa: SIM115  closed below
        ".gz": lambda raw: cast("IO[bytes]", gzip.open(raw)),  # noqa: SIM115
        ".tar": lambda raw: raw,
    }
    opener = openers.get(Path(name).suffix)
    if opener is None:
        raise _damaged(f"'{name}' has an unknown compression", where)
    left = _UNPACKED_MAX
    try:
        with opener(part) as source:
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise _damaged(f"it unpacks to more than {_UNPACKED_MAX} bytes", where)
                into.write(block)
    except (lzma.LZMAError, zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise _damaged(f"'{name}' cannot be decompressed: {error}", where) from error
    into.seek(0)
    return into


def _control(archive: IO[bytes], where: str) -> bytes:
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            for member in tar:
                if member.name.removeprefix("./") == "control":
                    content = tar.extractfile(member)
                    return content.read() if content else b""
    except tarfile.TarError as error:
        raise _damaged(f"the control archive is malformed: {error}", where) from error
    return b""


def _add(plain: IO[bytes], file: Path, tree: Tree, where: str) -> None:
    try:
        with tarfile.open(fileobj=plain, mode="r:") as tar:
            for member in tar:
                tree.add(member.name, _entry(member, file, tree, where), where=where)
    except tarfile.TarError as error:
        raise _damaged(f"the data archive is malformed: {error}", where) from error


def _entry(member: tarfile.TarInfo, file: Path, tree: Tree, where: str) -> Entry:
    if member.isdir():
        return Entry("dir", member.mode)
    if member.issym():
        return Entry("link", target=member.linkname)
    if member.islnk():
        # written twice rather than linked: hard links across layers mean nothing in an image
        original = tree.get(clean(member.linkname, where=where))
        if original is None or original.kind != "file":
            raise _damaged(f"'{member.name}' is a hard link to nothing", where)
        return original
    if member.isreg():
        return Entry("file", member.mode, content=Slice(file, member.offset_data, member.size))
    raise _damaged(f"'{member.name}' is a device or a pipe", where)


def _damaged(why: str, where: str) -> OperationFailed:
    return OperationFailed(
        f"the package cannot be used: {why}",
        where=where,
        hint="remove it from the cache folder 'packages' and build again",
    )
