"""Looks into raw values that may have any shape."""

from __future__ import annotations

from mlops_infra.config.language.document import Tree, Value


def get(tree: Value, *path: str) -> Value:
    """The value at `path`; None where anything on the way is absent or of another type."""
    for key in path:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def section(tree: Value, *path: str) -> Tree:
    """The keys at `path`; empty where there are none."""
    found = get(tree, *path)
    return found if isinstance(found, dict) else {}


def items(tree: Value, *path: str) -> list[Value]:
    """The list at `path`; empty where there is none."""
    found = get(tree, *path)
    return found if isinstance(found, list) else []
