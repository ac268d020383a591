"""No circle of imports: neither of files, nor of folders, nor of what lies in one folder.

Imports inside of functions and under `TYPE_CHECKING` count: what needs them to load is a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp

ROOTS = ("mlops_infra", "offline_bundle", "stacks")
KNOWN: frozenset[tuple[str, str]] = frozenset(
    {
        ("mlops_infra.lifecycle.gateway.client", "mlops_infra.lifecycle.promotion.policy"),
        ("mlops_infra.lifecycle.gateway.http.app", "mlops_infra.lifecycle.gateway.grpc.service"),
        (
            "mlops_infra.lifecycle.pipeline.engines.argo_pods",
            "mlops_infra.lifecycle.pipeline.engines.argo",
        ),
        ("mlops_infra.lifecycle.promotion.access", "mlops_infra.lifecycle.verify.connections"),
    }
)
"""Importer and imported; each is to be mended, none to be added."""


@cache
def graph() -> grimp.ImportGraph:
    made = grimp.build_graph(*ROOTS, cache_dir=None)
    for importer, imported in KNOWN:
        made.remove_import(importer=importer, imported=imported)
    return made


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
    """A folder is its own files; what lies in a folder below is another one."""
    own = packages()
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


def test_every_known_circle_is_still_one() -> None:
    made = grimp.build_graph(*ROOTS, cache_dir=None)
    for importer, imported in KNOWN:
        assert made.direct_import_exists(importer=importer, imported=imported)
