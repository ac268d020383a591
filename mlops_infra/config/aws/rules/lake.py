"""Rules between keys of Glue and QuickSight: names that must exist, keys that exclude others."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_infra.config.aws.rules.names import Broken, named
from mlops_infra.config.aws.values import is_simple
from mlops_infra.config.language.document import Path, Tree
from mlops_infra.config.language.tree import get, items, section


def _tables(tree: Tree) -> Iterator[Broken]:
    for name in section(tree, "aws", "glue", "tables"):
        base: Path = ("aws", "glue", "tables", name)
        table = section(tree, *map(str, base))
        partitions = section(table, "partitions")
        for column in section(table, "columns"):
            if column in partitions:
                message = f"'{column}' is a partition too, Glue takes a column once"
                yield (*base, "columns", column), message, "keep it under partitions"
        for column, kind in partitions.items():
            if isinstance(kind, str) and not is_simple(kind):
                message = f"a partition is a folder's name, '{kind}' cannot be one"
                yield (*base, "partitions", column), message, "for example date or string"


def _jobs(tree: Tree) -> Iterator[Broken]:
    crawlers = section(tree, "aws", "glue", "crawlers")
    for name in section(tree, "aws", "glue", "jobs"):
        base: Path = ("aws", "glue", "jobs", name)
        job = section(tree, *map(str, base))
        if (job.get("script") is None) == (job.get("etl") is None):
            yield base, "needs exactly one of script and etl", None
        yield from named(job.get("thenCrawl"), crawlers, (*base, "thenCrawl"), "crawler")
        if job.get("workerType") == "G.025X":
            message = "G.025X is for streaming jobs only"
            yield (*base, "workerType"), message, "G.1X is the smallest for ETL"
        yield from _etl((*base, "etl"), section(job, "etl"), tree)


def _etl(base: Path, etl: Tree, tree: Tree) -> Iterator[Broken]:
    tables = section(tree, "aws", "glue", "tables")
    wanted, source = etl.get("table"), etl.get("source")
    yield from named(wanted, tables, (*base, "table"), "table")
    table = section(tables, wanted) if isinstance(wanted, str) else {}
    keys = items(etl, "keys")
    columns = {**section(table, "columns"), **section(table, "partitions")}
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield (*base, "keys", index), f"'{key}' is duplicated", None
        elif columns:
            what = f"column of table '{wanted}'"
            yield from named(key, columns, (*base, "keys", index), what)
    path = table.get("path")
    if isinstance(source, str) and isinstance(path, str) and overlap(source, path):
        message = f"'{source}' and the folder of table '{wanted}', '{path}', overlap"
        yield (*base, "source"), message, "the job would read what it writes: use two folders"


def overlap(one: str, other: str) -> bool:
    """Whether two folders are the same or one lies in the other."""
    a, b = (each.strip("/").split("/") for each in (one, other))
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


def _named_tables(tree: Tree) -> Iterator[Broken]:
    tables = section(tree, "aws", "glue", "tables")
    for name in section(tree, "aws", "glue", "quality"):
        path = ("aws", "glue", "quality", name, "table")
        yield from named(get(tree, *path), tables, path, "table")
    listed = items(tree, "aws", "quicksight", "tables")
    for index, table in enumerate(listed):
        where: Path = ("aws", "quicksight", "tables", index)
        if table in listed[:index]:
            yield where, f"'{table}' is duplicated", None
        yield from named(table, tables, where, "table")


RULES = (_tables, _jobs, _named_tables)
