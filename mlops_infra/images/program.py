"""This program's own files: all of them, for a wheel, and those that the `runtime` image holds."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mlops_infra import places
from mlops_infra.images.tree import Entry, Tree

_PACKAGES = ("mlops_infra", "offline_bundle", "stacks")
_DATA = ("charts", "recipes", "go", "stacks", "Pulumi.yaml", "pyproject.toml", "LICENSE")
OPERATORS_ONLY = (
    *("backup", "catalog", "cluster", "components", "engine", "images", "overview", "plan"),
    *("teardown", "toolchain", "transport"),
    *("cli.bundle", "cli.cluster", "cli.images", "cli.tenant", "cli.toolchain"),
)
"""Packages of `mlops_infra` that no Pod runs, as a contract in pyproject.toml makes sure. The image
leaves them out, and the data as well: a change of a chart or of the plan starts no Pod again."""
_UNWANTED = frozenset({"__pycache__", "_project", ".mypy_cache", ".ruff_cache", "node_modules"})

_LICENCE = "usr/share/doc/mlops-infra/copyright"
_LAUNCHER = """#!/usr/bin/python3
import sys

from mlops_infra.cli.main import main

sys.exit(main())
"""


@functools.cache
def files() -> tuple[tuple[str, bytes], ...]:
    """Path inside the packages' folder, and content, of all that the program is made of; sorted.

    The same places as in a wheel: packages beside each other, data below `mlops_infra/_project`.
    Read once a process, so that a key and what is built under it cannot differ.
    """
    root = places.project()
    source = Path(__file__).resolve().parents[2]
    found = [
        *(pair for name in _PACKAGES for pair in _below(source / name, name)),
        *(pair for name in _DATA for pair in _below(root / name, f"mlops_infra/_project/{name}")),
    ]
    return tuple((name, file.read_bytes()) for name, file in sorted(found))


def _below(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield name, path
    elif path.is_dir():
        for child in path.iterdir():
            if child.name not in _UNWANTED and not child.name.startswith("."):
                yield from _below(child, f"{name}/{child.name}")


def in_image() -> tuple[tuple[str, bytes], ...]:
    """Those of `files` that the image holds: what Pods run, no data, nothing for operators."""
    others = tuple(f"mlops_infra/{name.replace('.', '/')}/" for name in OPERATORS_ONLY)
    left_out = ("mlops_infra/_project/", *others)
    return tuple(
        (name, content)
        for name, content in files()
        if name.startswith("mlops_infra/") and not name.startswith(left_out)
    )


def _licence() -> bytes:
    return dict(files())["mlops_infra/_project/LICENSE"]


def key() -> str:
    """SHA-256 over the names and contents of what `add` adds."""
    digest = hashlib.sha256(_LAUNCHER.encode() + _licence())
    for name, content in in_image():
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def add(tree: Tree, folder: str) -> None:
    """Add what Pods run below `folder` of the image, its command to /usr/local/bin, its licence."""
    for name, content in in_image():
        tree.place(f"{folder}/{name}", Entry("file", 0o644, content=content))
    tree.place(_LICENCE, Entry("file", 0o644, content=_licence()))
    launcher = Entry("file", 0o755, content=_LAUNCHER.encode())
    tree.place("usr/local/bin/mlops-infra", launcher)
