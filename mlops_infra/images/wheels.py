"""Lays hash-locked wheels down as files of an image."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from email.parser import HeaderParser
from pathlib import Path

from mlops_infra import places
from mlops_infra.errors import OperationFailed
from mlops_infra.images import locks, sbom, uv
from mlops_infra.images.recipe import Recipe
from mlops_infra.images.tree import Entry, Slice, Tree
from mlops_infra.progress import Sink, step

_SHEBANG = re.compile(rb"\A#!.*python[^\n]*\n(?:'''exec'[^\n]*\n' '''\n)?")
_OWN = b"#!/usr/bin/python3\n"
_RECORDS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""What an installer writes about itself; differs from machine to machine, and nobody reads it."""


def add_wheels(
    recipe: Recipe, tree: Tree, folder: str, scratch: Path, sink: Sink
) -> tuple[dict[str, object], ...]:
    """Install the locked wheels of `recipe` below `folder` of the image; return SBOM components.

    Raises:
        MissingError: uv is not installed.
        OperationFailed: a wheel cannot be had, or is not the one that was locked.
    """
    pinned = locks.wheels(recipe.name)
    with step(sink, f"Fetching {len(pinned)} wheels of {recipe.name}") as work:
        _install(recipe, scratch)
        refuse_conflicts(scratch)
        work.end("done", f"{len(pinned)} wheels")
    for file in sorted(scratch.rglob("*")):
        relative = file.relative_to(scratch).as_posix()
        if file.is_symlink() or not file.is_file() or _unwanted(relative):
            continue
        if relative.startswith("bin/"):
            script = _SHEBANG.sub(_OWN, file.read_bytes(), count=1)
            tree.place(f"usr/local/{relative}", Entry("file", 0o755, content=script))
        else:
            mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            tree.place(f"{folder}/{relative}", Entry("file", mode, content=_slice(file)))
    return tuple(_component(file) for file in sorted(scratch.glob("*.dist-info/METADATA")))


def _slice(file: Path) -> Slice:
    return Slice(file, 0, file.stat().st_size)


def _unwanted(relative: str) -> bool:
    folder, _, name = relative.rpartition("/")
    return relative == ".lock" or (folder.endswith(".dist-info") and name in _RECORDS)


def refuse_conflicts(folder: Path) -> None:
    """Refuse two wheels that bring one file with different contents.

    Which of them would win depends on the order in which the installer finishes.

    Raises:
        OperationFailed: there is such a file; both wheels are named.
    """
    owners: dict[str, tuple[str, str]] = {}
    for record in sorted(folder.glob("*.dist-info/RECORD")):
        with record.open(encoding="utf-8", newline="") as lines:
            for path, digest, *_ in csv.reader(lines):
                if not digest or path.startswith(("../", "bin/")):
                    continue
                owner, known = owners.setdefault(path, (record.parent.name, digest))
                if known != digest:
                    raise OperationFailed(
                        f"two wheels have different files '{path}'",
                        where=f"{owner} and {record.parent.name}",
                        hint="remove one of them from the recipe",
                    )


def _install(recipe: Recipe, scratch: Path) -> None:
    assert recipe.python is not None  # noqa: S101  the caller has looked
    command = [
        *(str(uv.find()), "pip", "install", "--quiet", "--target", str(scratch)),
        *("--python", sys.executable, "--python-version", recipe.python.version),
        *("--python-platform", uv.PLATFORM, "--require-hashes", "--no-deps"),
        *("--only-binary", ":all:", "--link-mode", "hardlink"),
        *("--requirements", str(locks.python_path(recipe.name))),
    ]
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    kept["UV_CACHE_DIR"] = str(places.cache() / "packages" / "uv")
    result = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    if result.returncode:
        raise OperationFailed(
            f"the wheels of '{recipe.name}' cannot be installed: {result.stderr.strip()[-800:]}",
            where=str(locks.python_path(recipe.name)),
            hint=f"check the package index, or run: mlops-infra images lock {recipe.name}",
        )


def _component(metadata: Path) -> dict[str, object]:
    fields = HeaderParser().parsestr(metadata.read_text("utf-8", "replace"))
    classified = [
        value.rpartition(" :: ")[2]
        for value in fields.get_all("Classifier", [])
        if value.startswith("License :: ")
    ]
    return sbom.python_component(
        str(fields["Name"]),
        str(fields["Version"]),
        fields.get("License-Expression"),
        classified[0] if classified else None,
    )
