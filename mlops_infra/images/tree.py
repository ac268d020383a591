"""The files of a layer before they are written: a map from path to entry, nothing on disk.

Ownership and modes live here and not in a scratch folder, so that no build needs root, and neither
the umask nor the file system of the builder can leave a trace in an image.
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from mlops_infra.errors import OperationFailed

MERGED = ("bin", "sbin", "lib", "lib64")
"""Top folders that are links into /usr on every merged-/usr Debian; packages still name both."""

_MODE_MASK = 0o755
"""What packages may ask for; see `Tree.add`."""
_PATH_MAX = 4096


@dataclass(frozen=True, slots=True)
class Slice:
    """`size` bytes at `offset` of a file: a member of an unpacked package."""

    file: Path
    offset: int
    size: int

    def open(self) -> BinaryIO:
        """A reader that stands at the first byte; the caller reads `size` bytes and closes."""
        reader = self.file.open("rb")
        reader.seek(self.offset)
        return reader


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or symbolic link."""

    kind: Literal["file", "dir", "link"]
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    content: bytes | Slice = b""
    target: str = ""
    """What a link points to, as it is written in the link."""

    @property
    def size(self) -> int:
        """Bytes of content; 0 for folders and links."""
        return self.content.size if isinstance(self.content, Slice) else len(self.content)

    def read(self) -> bytes:
        """The whole content."""
        if not isinstance(self.content, Slice):
            return self.content
        with self.content.open() as reader:
            return reader.read(self.content.size)


def clean(path: str, *, where: str) -> str:
    """`path` of an archive as a path of the image: relative, and below /usr where that is merged.

    Raises:
        OperationFailed: it is longer than Linux allows, or leaves the root.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or "\0" in path or len(path) > _PATH_MAX:
        raise OperationFailed(
            f"refused the entry '{path[:200]}': its path leaves the image",
            where=where,
            hint="the package is damaged or hostile; compare it with the mirror's",
        )
    if parts and parts[0] in MERGED:
        parts.insert(0, "usr")
    return "/".join(parts)


class Tree:
    """What one layer holds; later entries win over earlier ones, as in a package manager."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, path: str) -> Entry | None:
        """The entry at `path`, or None."""
        return self._entries.get(path)

    def add(self, path: str, entry: Entry, *, where: str) -> None:
        """Put `entry` at `path` with its set-id and group-write bits removed.

        No image of ours runs a program that would need set-id; a folder stays a folder when a link
        of the same name comes later.

        Raises:
            OperationFailed: the path leaves the image.
        """
        path = clean(path, where=where)
        if not path:
            return
        known = self._entries.get(path)
        if known is not None and known.kind == "dir" and entry.kind == "link":
            return
        mode = 0o777 if entry.kind == "link" else entry.mode & _MODE_MASK
        self._entries[path] = replace(entry, mode=mode)

    def place(self, path: str, entry: Entry) -> None:
        """Put an entry of our own making at `path` exactly as it is."""
        self._entries[path.strip("/")] = entry

    def drop(self, patterns: Iterable[str], *, keep: Iterable[str] = ()) -> None:
        """Remove what matches one of the shell `patterns` and none of `keep`.

        A pattern that ends in `/**` takes the folder itself too.
        """
        unwanted = _Matcher(patterns)
        wanted = _Matcher(keep)
        for path in [p for p in self._entries if unwanted(p) and not wanted(p)]:
            del self._entries[path]

    def complete(self) -> None:
        """Add the folders that hold the entries, and refuse a file that lies below a link.

        Raises:
            OperationFailed: an entry's parent is a link or a file, the way out of a root.
        """
        for path in list(self._entries):
            parent = posixpath.dirname(path)
            while parent:
                known = self._entries.setdefault(parent, Entry("dir"))
                if known.kind != "dir":
                    raise OperationFailed(
                        f"refused the entry '{path}': '{parent}' is a {known.kind}, not a folder",
                        hint="two packages disagree, or one is hostile; exclude one of the paths",
                    )
                parent = posixpath.dirname(parent)

    def items(self) -> Iterator[tuple[str, Entry]]:
        """All entries, sorted by path, so that folders come before what they hold."""
        return iter(sorted(self._entries.items()))


class _Matcher:
    def __init__(self, patterns: Iterable[str]) -> None:
        self._exact: set[str] = set()
        self._prefixes: list[str] = []
        self._globs: list[str] = []
        for pattern in patterns:
            head = pattern.removesuffix("/**").lstrip("/")
            if not any(mark in head for mark in "*?["):
                self._exact.add(head)
                if pattern.endswith("/**"):
                    self._prefixes.append(head + "/")
            else:
                self._globs.append(pattern.lstrip("/"))
                if pattern.endswith("/**"):
                    self._globs.append(head)

    def __call__(self, path: str) -> bool:
        return (
            path in self._exact
            or path.startswith(tuple(self._prefixes))
            or any(fnmatch.fnmatchcase(path, glob) for glob in self._globs)
        )
