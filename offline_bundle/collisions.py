"""Two files that would take one place in a bundle, where one of them would be lost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from mlops_infra.errors import InputError


def require_distinct(files: Iterable[tuple[str, str]]) -> None:
    """Refuse two files of one place, and a file where another needs a folder.

    Upper and lower case count as the same: media and file systems of some machines think so.

    Args:
        files: path within the bundle, and where the file is taken from.

    Raises:
        InputError: with all of them; both sources of each are named.
    """
    taken: dict[str, str] = {}
    clashes: list[str] = []
    for path, source in sorted(files, key=lambda each: each[0].casefold()):
        place = PurePosixPath(path.casefold())
        for each in map(str, (place, *place.parents)):
            if each in taken:
                clashes.append(f"{_shown(taken[each])} and {_shown(source)} would both be {path}")
                break
        taken.setdefault(str(place), source)
    if clashes:
        raise InputError(
            "files of one name cannot be in one bundle\n" + "\n".join(f"  {c}" for c in clashes),
            hint="rename one, or put each into a folder of its own and give the folders to --file",
        )


def _shown(source: str) -> str:
    return source.removeprefix("file:").removeprefix("chart:")
