"""This repository's own packages and data as they go into the `runtime` image."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from mlops_infra import places
from mlops_infra.images.tree import Entry, Tree

_PACKAGES = ("mlops_infra", "offline_bundle", "stacks")
_DATA = ("charts", "recipes", "go", "stacks", "Pulumi.yaml", "pyproject.toml", "LICENSE")
_UNWANTED = frozenset({"__pycache__", "_project", ".mypy_cache", ".ruff_cache", "node_modules"})

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


def key() -> str:
    """SHA-256 over the names and contents of `files`."""
    digest = hashlib.sha256(_LAUNCHER.encode())
    for name, content in files():
        digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def add(tree: Tree, folder: str) -> None:
    """Add the program below `folder` of the image, and its command to /usr/local/bin."""
    for name, content in files():
        tree.place(f"{folder}/{name}", Entry("file", 0o644, content=content))
    launcher = Entry("file", 0o755, content=_LAUNCHER.encode())
    tree.place("usr/local/bin/mlops-infra", launcher)
