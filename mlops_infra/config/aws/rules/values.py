"""Values of the aws profile that a pattern cannot judge: machine types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_infra.config.aws.rules.names import Broken
from mlops_infra.config.language.document import Path, Tree, Value
from mlops_infra.config.language.explain import nearest
from mlops_infra.config.language.tree import section

SIZES = (
    "micro", "small", "medium", "large", "xlarge", "2xlarge", "3xlarge", "4xlarge", "6xlarge",
    "8xlarge", "9xlarge", "10xlarge", "12xlarge", "16xlarge", "18xlarge", "24xlarge", "32xlarge",
    "48xlarge",
)  # fmt: skip
"""Sizes of machines of SageMaker, RDS and ElastiCache; which family has which, a region decides."""

_MACHINE = re.compile(r"(ml|db|cache)\.([a-z][a-z0-9-]*)\.([a-z0-9]+)")


def _machines(tree: Tree) -> Iterator[Broken]:
    for path, value in _walk(section(tree, "aws"), ("aws",)):
        if path[-1] != "instance" or not isinstance(value, str):
            continue
        match = _MACHINE.fullmatch(value)
        if match and match.group(3) not in SIZES:
            close = nearest(match.group(3), SIZES)
            told = f"did you mean '{match.group(1)}.{match.group(2)}.{close}'? " if close else ""
            yield path, f"no such size: '{match.group(3)}'", f"{told}sizes: {', '.join(SIZES)}"


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


RULES = (_machines,)
