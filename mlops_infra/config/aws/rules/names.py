"""What the rules of the aws profile share: their result, and names that must exist."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_infra.config.language.document import Path, Tree, Value
from mlops_infra.config.language.explain import nearest

Broken = tuple[Path, str, str | None]


def named(wanted: Value, known: Tree, path: Path, what: str) -> Iterator[Broken]:
    """Nothing, or the finding that `wanted` is not among the keys of `known`."""
    if isinstance(wanted, str) and wanted not in known:
        close = nearest(wanted, known)
        there = f"there are: {', '.join(known)}" if known else f"the file has no {what} yet"
        yield path, f"no such {what}: '{wanted}'", f"did you mean '{close}'?" if close else there
