"""Values of the aws profile that a pattern cannot judge: schedules and machine types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_infra.config.language.document import Path, Tree, Value
from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.tree import section

Broken = tuple[Path, str, str | None]

SIZES = (
    "micro", "small", "medium", "large", "xlarge", "2xlarge", "3xlarge", "4xlarge", "6xlarge",
    "8xlarge", "9xlarge", "10xlarge", "12xlarge", "16xlarge", "18xlarge", "24xlarge", "32xlarge",
    "48xlarge",
)  # fmt: skip
"""Sizes of machines of SageMaker, RDS and ElastiCache; which family has which, a region decides."""

_MACHINE = re.compile(r"(ml|db|cache)\.([a-z][a-z0-9-]*)\.([a-z0-9]+)")
_RATE = re.compile(r"rate\(([0-9]+) ([a-z]+)\)")
_UNITS = ("minute", "hour", "day")
_FIELDS = ("minute", "hour", "day of month", "month", "day of week", "year")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))

CRON_ONLY = (("aws", "glue", "crawlers"), ("aws", "glue", "jobs"), ("aws", "monitors"))
"""Glue and SageMaker's monitors take `cron(...)`, never `rate(...)`."""


def _machines(tree: Tree) -> Iterator[Broken]:
    for path, value in _walk(section(tree, "aws"), ("aws",)):
        if path[-1] != "instance" or not isinstance(value, str):
            continue
        match = _MACHINE.fullmatch(value)
        if match and match.group(3) not in SIZES:
            close = nearest(match.group(3), SIZES)
            told = f"did you mean '{match.group(1)}.{match.group(2)}.{close}'? " if close else ""
            yield path, f"no such size: '{match.group(3)}'", f"{told}sizes: {', '.join(SIZES)}"


def _schedules(tree: Tree) -> Iterator[Broken]:
    for path, value in _walk(section(tree, "aws"), ("aws",)):
        if path[-1] != "schedule" or not isinstance(value, str):
            continue
        if value.startswith("rate("):
            yield from _rate(path, value)
        if value.startswith("cron("):
            yield from _cron(path, value)


def _rate(path: Path, value: str) -> Iterator[Broken]:
    for where in CRON_ONLY:
        if tuple(path[: len(where)]) == where:
            yield path, "only accepts cron(…)", "for example cron(0 2 * * ? *)"
    match = _RATE.fullmatch(value)
    if match is None:
        return
    number, unit = int(match.group(1)), match.group(2)
    wanted = [unit if number == 1 else f"{unit}s" for unit in _UNITS]
    if unit not in wanted:
        yield path, f"'{unit}' does not match {number}", f"one of {', '.join(wanted)}"


def _cron(path: Path, value: str) -> Iterator[Broken]:
    fields = value.removeprefix("cron(").removesuffix(")").split()
    if len(fields) != len(_FIELDS):
        message = f"has {len(fields)} fields, AWS's cron has 6"
        yield path, message, f"cron({' '.join(name.replace(' ', '-') for name in _FIELDS)})"
        return
    if [fields[2], fields[4]].count("?") != 1:
        message = "exactly one of day of month and day of week must be '?'"
        yield path, message, "for example cron(0 2 * * ? *)"
    for name, field, (low, high) in zip(_FIELDS, fields, _RANGES, strict=True):
        for number in re.findall(r"(?<![A-Z#/0-9])[0-9]+", field):
            if not low <= int(number) <= high:
                yield path, f"{name} {number} is not within {low} to {high}", None


def _walk(value: Value, path: Path) -> Iterator[tuple[Path, Value]]:
    """Every leaf below `path`, and where it is."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, (*path, index))
    else:
        yield path, value


RULES = (_machines, _schedules)
