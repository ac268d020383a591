"""Reads a Debian package: an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`.

Nothing is run: maintainer scripts are never looked at. Format: deb(5).
"""

from __future__ import annotations

import io
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from mlops_infra.errors import OperationFailed
from mlops_infra.images.tree import Entry, Slice, Tree, clean

_MAGIC = b"!<arch>\n"
_HEADER = 60
_UNPACKED_MAX = 4 * 1024**3
"""No package of ours is near it; a small archive that swells beyond is an attack."""


def members(deb: BinaryIO, *, where: str) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each member of the outer archive.

    Raises:
        OperationFailed: it is no `ar` archive, or it is cut short.
    """
    if deb.read(len(_MAGIC)) != _MAGIC:
        raise _damaged("it does not begin as an ar archive", where)
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
            raise _damaged(f"'{name}' is cut short", where)
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
        raise _damaged("it holds no control file", where)
    return control


def _decompressed(part: BinaryIO, name: str, into: IO[bytes], where: str) -> IO[bytes]:
    suffix = Path(name).suffix
    try:
        if suffix == ".xz":
            _copy(lzma.open(part), into, where)
        elif suffix == ".gz":
            import gzip  # old packages only

            _copy(gzip.open(part), into, where)
        elif suffix == ".tar":
            _copy(part, into, where)
        else:
            raise _damaged(f"'{name}' is compressed in a way that Debian does not use", where)
    except (lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise _damaged(f"'{name}' cannot be decompressed: {error}", where) from error
    into.seek(0)
    return into


def _copy(source: IO[bytes], into: IO[bytes], where: str) -> None:
    shutil.copyfileobj(_Bounded(source, where), into, 1 << 20)


class _Bounded:
    """A reader that stops an archive which swells beyond all measure."""

    def __init__(self, source: IO[bytes], where: str) -> None:
        self._source = source
        self._where = where
        self._left = _UNPACKED_MAX

    def read(self, size: int) -> bytes:
        block = self._source.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise _damaged(f"it unpacks to more than {_UNPACKED_MAX} bytes", self._where)
        return block


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
