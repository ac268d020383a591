"""`bundle.json`: every file of a bundle with its size and sha256.

Whoever trusts these bytes trusts the bundle, so the reader takes nothing on faith: a key that it
does not know, a path out of order or a number that is none, and the whole list is refused.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.sealing.paths import require_distinct, require_safe

FORMAT = "mlops-infra.bundle/1"
MAX_BYTES = 256 << 20
"""About a million files; a longer list is not one of ours."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENTRY_KEYS = {"path", "kind", "size", "sha256"}
_KEYS = {"format", "stack", "platform", "python", "files"}


class ContentsError(InputError):
    """The list of files cannot be read, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file."""

    path: str
    """Relative, with `/`."""
    kind: str
    """`blob`, `wheel`, `plugin`, `binary`, `file`, `sbom` or `layout`."""
    size: int
    sha256: str
    """Hex digits alone."""


@dataclass(frozen=True)
class Contents:
    """What a bundle holds; equal bundles have equal contents, byte for byte."""

    stack: str | None
    platform: str
    python: str
    entries: tuple[Entry, ...]
    """Sorted by path."""

    @cached_property
    def by_path(self) -> Mapping[str, Entry]:
        """Entries by their path."""
        return {entry.path: entry for entry in self.entries}

    @cached_property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)

    def blob(self, digest: str) -> Entry | None:
        """The entry of an OCI blob."""
        return self.by_path.get(layout.blob_path(digest))

    def encode(self) -> bytes:
        """The bytes of `bundle.json`: they depend on the contents alone."""
        raw = {
            "format": FORMAT,
            "stack": self.stack,
            "platform": self.platform,
            "python": self.python,
            "files": [
                {"path": e.path, "kind": e.kind, "size": e.size, "sha256": e.sha256}
                for e in self.entries
            ],
        }
        return (json.dumps(raw, indent=1, ensure_ascii=True) + "\n").encode()


def identity(raw: bytes) -> str:
    """Name of the set of files that `raw` (the bytes of a `bundle.json`) lists."""
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def parse(raw: bytes) -> Contents:
    """Read the bytes of a `bundle.json`.

    Raises:
        ContentsError, UnsafePath: they are not the list that `Contents.encode` writes.
    """
    if len(raw) > MAX_BYTES:
        raise ContentsError(f"{layout.BUNDLE} is larger than {MAX_BYTES >> 20} MiB")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ContentsError(f"{layout.BUNDLE} is not valid JSON: {error}") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ContentsError(f"{layout.BUNDLE} is not of the format {FORMAT}")
    if set(value) != _KEYS or not isinstance(value["files"], list):
        raise ContentsError(f"{layout.BUNDLE} has other keys than {sorted(_KEYS)}")
    entries = tuple(_entry(item) for item in value["files"])
    paths = [entry.path for entry in entries]
    if any(one >= other for one, other in itertools.pairwise(paths)):
        raise ContentsError(f"the files in {layout.BUNDLE} are not sorted, or one is duplicated")
    require_distinct(paths)
    stack, platform, python = value["stack"], value["platform"], value["python"]
    if not (stack is None or isinstance(stack, str)):
        raise ContentsError(f"`stack` in {layout.BUNDLE} is not a name")
    if not isinstance(platform, str) or not isinstance(python, str):
        raise ContentsError(f"`platform` or `python` in {layout.BUNDLE} is not a text")
    return Contents(stack, platform, python, entries)


def _entry(item: Any) -> Entry:
    if not isinstance(item, dict) or set(item) != _ENTRY_KEYS:
        raise ContentsError(f"an entry of {layout.BUNDLE} has other keys than {_ENTRY_KEYS}")
    path, kind, size, sha256 = item["path"], item["kind"], item["size"], item["sha256"]
    if not all(isinstance(text, str) for text in (path, kind, sha256)):
        raise ContentsError(f"an entry of {layout.BUNDLE} is not a text: {item}")
    if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
        raise ContentsError(f"size or sha256 of {path} in {layout.BUNDLE} is invalid")
    if path in layout.UNLISTED:
        raise ContentsError(f"{layout.BUNDLE} lists {path}, which cannot be listed")
    entry = Entry(require_safe(path), kind, size, sha256)
    if path.startswith(f"{layout.BLOBS}/sha256/") and path.rpartition("/")[2] != sha256:
        raise ContentsError(f"{path} in {layout.BUNDLE} has the sha256 {sha256}")
    return entry
