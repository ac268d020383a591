"""What is different between two bundles: images, files, bytes to carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offline_bundle.sealing import Contents, Entry
from offline_bundle.volumes import images as contained
from offline_bundle.volumes import open_source


@dataclass(frozen=True, slots=True)
class Changed:
    """One name that means something else now."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """From one bundle to another; everything sorted."""

    images_added: tuple[str, ...]
    images_removed: tuple[str, ...]
    images_changed: tuple[Changed, ...]
    """The same reference, another digest: a tag that has moved."""
    files_added: tuple[Entry, ...]
    """Whatever is no blob."""
    files_removed: tuple[Entry, ...]
    files_changed: tuple[Changed, ...]
    new: tuple[Entry, ...]
    """Every file, blobs too, that a difference has to carry."""

    @property
    def size(self) -> int:
        """Bytes of `new`."""
        return sum(entry.size for entry in self.new)

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not (self.new or self.files_removed or self.images_removed)


def diff(before: Sequence[Path], after: Sequence[Path]) -> Difference:
    """Compare two bundles, each a folder or its volumes; no blob is read.

    Raises:
        InputError, FoundError: one is no bundle, or its lists are damaged.
    """
    old, new = open_source(before), open_source(after)
    was, now = dict(contained.images(old)), dict(contained.images(new))
    was_files, now_files = _files(old.contents), _files(new.contents)
    held = {entry.sha256 for entry in old.contents.entries}
    return Difference(
        images_added=tuple(sorted(now.keys() - was.keys())),
        images_removed=tuple(sorted(was.keys() - now.keys())),
        images_changed=tuple(_changed(was, now)),
        files_added=tuple(now_files[path] for path in sorted(now_files.keys() - was_files.keys())),
        files_removed=tuple(
            was_files[path] for path in sorted(was_files.keys() - now_files.keys())
        ),
        files_changed=tuple(
            _changed(
                {path: entry.sha256 for path, entry in was_files.items()},
                {path: entry.sha256 for path, entry in now_files.items()},
            )
        ),
        new=tuple(entry for entry in new.contents.entries if entry.sha256 not in held),
    )


def _files(contents: Contents) -> dict[str, Entry]:
    return {entry.path: entry for entry in contents.entries if entry.kind != "blob"}


def _changed(was: dict[str, str], now: dict[str, str]) -> Iterable[Changed]:
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name]:
            yield Changed(name, was[name], now[name])
