"""The program's charts as Pulumi's provider is to read them: files alone, no links.

In a checkout every chart has a link to the library chart. Helm follows it and says so on standard
error, and Pulumi prints what a provider writes there: a line for each chart in every `pulumi up`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlops_infra import places


def without_links(charts: Path) -> Path:
    """`charts` itself where it holds no links, as in an installation; else a copy in the cache.

    The copy is named after its content, so that one is made whenever a chart has changed.
    """
    if not any(each.is_symlink() for each in charts.glob("*/charts/*")):
        return charts
    digest = hashlib.sha256()
    for file in sorted(_files(charts)):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(charts)} {content}\n".encode())
    copy = places.cache() / "charts" / digest.hexdigest()[:16]
    if not copy.is_dir():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
            fresh = Path(shutil.copytree(charts, Path(folder, "charts")))
            try:
                fresh.rename(copy)
            except OSError:
                if not copy.is_dir():  # no other run was quicker
                    raise
    return copy


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder, followlinks=True):
        yield from (Path(place, name) for name in names)
