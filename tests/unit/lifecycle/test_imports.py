"""No two files, and no two packages, of the lifecycle need each other."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import mlops_infra.lifecycle

ROOT = Path(mlops_infra.lifecycle.__path__[0])
NAME = "mlops_infra.lifecycle"


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join([NAME, *parts])] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules that a file imports anywhere, inside of functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                package = full in known or f"{full}.__init__" in known
                names.add(full if package else node.module)
    return {name if name in known else f"{name}.__init__" for name in names} & set(known)


def circle(arrows: set[tuple[str, str]]) -> list[str] | None:
    graph: dict[str, set[str]] = {}
    for source, target in arrows:
        graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def test_no_circle_of_files_or_packages() -> None:
    known = modules()
    arrows = {(name, other) for name, path in known.items() for other in imported(path, known)}
    assert len(arrows) > 200, "the reader of imports sees hardly any"
    assert circle({(a, b) for a, b in arrows if a != b}) is None
    packages = {name.removesuffix(".__init__") for name in known if name.endswith(".__init__")}
    for package in sorted(packages):
        inner = package + "."
        among = {
            (a.removeprefix(inner).partition(".")[0], b.removeprefix(inner).partition(".")[0])
            for a, b in arrows
            if a.startswith(inner) and b.startswith(inner)
        }
        assert circle({(a, b) for a, b in among if a != b}) is None, package


def test_a_circle_would_be_seen() -> None:
    assert circle({("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")}) is not None
    assert circle({("a", "b"), ("b", "c"), ("d", "a")}) is None
