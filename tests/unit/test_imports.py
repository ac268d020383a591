"""No circle of imports: neither of files, nor of folders, nor of what lies in one folder.

Imports inside of functions and under `TYPE_CHECKING` count: what needs them to load is a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp

ROOTS = ("mlops_infra", "offline_bundle", "stacks")


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOTS, cache_dir=None)


def packages() -> set[str]:
    return {module for module in graph().modules if graph().find_children(module)}


def imports() -> Iterable[tuple[str, str]]:
    for module in graph().modules:
        for imported in graph().find_modules_directly_imported_by(module):
            yield module, imported


def circle(edges: Iterable[tuple[str, str]]) -> list[str]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for importer, imported in edges:
        if importer != imported:
            sorter.add(importer, imported)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_files_import_each_other_in_no_circle() -> None:
    assert circle(imports()) == []


def test_folders_import_each_other_in_no_circle() -> None:
    """A folder is its own files; what lies in a folder below is another one.

    A file at the top, such as `errors` or `pipelines`, is a room of its own: a layer in pyproject.
    """
    own = packages() | {module for module in graph().modules if module.count(".") == 1}
    folder = {
        module: module if module in own else module.rpartition(".")[0] for module in graph().modules
    }
    assert circle((folder[importer], folder[imported]) for importer, imported in imports()) == []


def test_parts_of_a_package_import_each_other_in_no_circle() -> None:
    """Each part with all that lies below it."""
    assert {
        package: breakers
        for package in packages()
        if (breakers := graph().nominate_cycle_breakers(package))
    } == {}
