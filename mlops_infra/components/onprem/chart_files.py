"""The program's charts as Pulumi's provider is to read them: files alone, no links.

In a checkout every chart has a link to the library chart. Helm follows it and says so on standard
error, and Pulumi prints what a provider writes there: a line for each chart in every `pulumi up`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from mlops_infra import files, places


def without_links(charts: Path) -> Path:
    """`charts` itself where it holds no links, as in an installation; else a copy in the cache.

    The copy is named after its content, so that one is made whenever a chart has changed.
    """
    if not any(each.is_symlink() for each in charts.glob("*/charts/*")):
        return charts
    digest = hashlib.sha256()
    for file in sorted(files.below(charts)):
        digest.update(f"{file.relative_to(charts)} {files.sha256(file)}\n".encode())
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
