"""Takes images out of the cache that no recipe of this program names any more, and pulled ones."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.files import remove_tree
from mlops_infra.images import blobs, keys, pulled
from mlops_infra.images import recipe as recipes
from mlops_infra.images.builder import layout_of

_DAY = 86_400
_A_BUILD = 3_600
"""Seconds: a blob this young may belong to a build that has not written its record yet."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out of the cache, or what a dry run would take."""

    images: tuple[str, ...]
    """Names of layouts, `NAME-KEY`, and references of pulled images."""
    layers: int
    freed: int
    """Bytes of disk; what a layout that stays still links is not counted."""


def prune(unused_days: float, *, dry_run: bool = False) -> Pruned:
    """Remove what no recipe names, or was pulled, and nobody has used for `unused_days` days.

    Other checkouts of the program share the cache: what one of them used lately stays, and what
    is removed all the same is built again when it is asked for.
    """
    before = time.time() - unused_days * _DAY
    names = recipes.names()
    layouts = [each for each in _layouts(before) if each not in {layout_of(n) for n in names}]
    records = _records(before, {item.key for name in names for item in keys.layer_keys(name)})
    strange = pulled.unused(before)
    files = [
        *_unnamed_blobs(records),
        *pulled.unnamed_blobs(strange, time.time() - _A_BUILD),
    ]
    freed = _freed(files, layouts)
    if not dry_run:
        for layout in layouts:
            with blobs.exclusive(layout.name):
                remove_tree(layout)
        with blobs.exclusive("pulled"):
            for path in (*records, *strange, *files):
                path.unlink(missing_ok=True)
    names_gone = (*(each.name for each in layouts), *strange.values())
    return Pruned(tuple(sorted(names_gone)), len(files), freed)


def _layouts(before: float) -> Iterator[Path]:
    for built in (blobs.folder() / "layouts").glob("[!.]*/built.json"):
        if built.stat().st_mtime < before:
            yield built.parent


def _records(before: float, wanted: set[str]) -> list[Path]:
    every = (blobs.folder() / "layers").glob("[!.]*.json")
    return [each for each in every if each.stem not in wanted and each.stat().st_mtime < before]


def _unnamed_blobs(going: list[Path]) -> list[Path]:
    gone = set(going)
    staying = (each for each in (blobs.folder() / "layers").glob("[!.]*.json") if each not in gone)
    named = {blobs.path_of(json.loads(each.read_bytes())["digest"]) for each in staying}
    young = time.time() - _A_BUILD
    every = (blobs.folder() / "blobs").glob("[!.]*")
    return [each for each in every if each not in named and each.stat().st_mtime < young]


def _freed(files: list[Path], layouts: list[Path]) -> int:
    """Bytes of the inodes all of whose links are going: layouts link the layers they hold."""
    inside = [
        Path(at, name) for each in layouts for at, _, found in os.walk(each) for name in found
    ]
    links: dict[tuple[int, int], list[int]] = {}
    for path in (*files, *inside):
        facts = path.stat()
        links.setdefault((facts.st_dev, facts.st_ino), [facts.st_nlink, facts.st_size, 0])[2] += 1
    return sum(size for all_links, size, going in links.values() if going >= all_links)
