"""Writes the lock files of a recipe from what Debian and PyPI offer today."""

from __future__ import annotations

import datetime
import functools
import subprocess
import tempfile
import tomllib
from collections.abc import Callable, Collection
from pathlib import Path

from mlops_infra import files, places
from mlops_infra.errors import OperationFailed
from mlops_infra.images import debian_index, locks, uv
from mlops_infra.images import recipe as recipes
from mlops_infra.images.debian_resolve import Offers, resolve
from mlops_infra.images.fetch import mirror
from mlops_infra.images.recipe import Recipe
from mlops_infra.progress import Sink, step


def lock(names: Collection[str], sink: Sink) -> list[Path]:
    """Lock the recipes `names`, and bases below them that have no lock; return the files written.

    A base that is locked stays as it is: a new one makes every other image on it another one.

    Raises:
        InputError: a package is not offered.
        MissingError: apt or uv is not installed.
        OperationFailed: an index cannot be reached or is not what was signed.
    """
    ordered: dict[str, None] = {}
    for name in names:
        ordered |= dict.fromkeys(recipe.name for recipe in recipes.lineage(name))
    index = functools.cache(lambda suite: debian_index.fetch(suite, mirror()))
    written: list[Path] = []
    for name in ordered:
        recipe = recipes.load(name)
        if name not in names and _is_locked(recipe):
            continue
        with step(sink, f"Locking {name}") as work:
            if recipe.debian:
                written.append(_debian(recipe, index))
                work.note(f"{len(locks.debian(name).packages)} Debian packages")
            if recipe.python:
                written.append(_python(recipe))
                work.end("done", f"{len(locks.wheels(name))} wheels")
    return written


def _is_locked(recipe: Recipe) -> bool:
    written = []
    if recipe.debian:
        written.append(locks.debian_path(recipe.name))
    if recipe.python:
        written.append(locks.python_path(recipe.name))
    return all(path.exists() for path in written)


def _debian(recipe: Recipe, index: Callable[[str], Offers]) -> Path:
    wanted = recipe.debian
    assert wanted is not None  # noqa: S101  the caller has looked
    below = [
        package.name
        for base in recipes.lineage(recipe.name)[:-1]
        if base.debian
        for package in locks.debian(base.name).packages
    ]
    packages = resolve(
        wanted.packages, index(wanted.suite), without=wanted.without, installed=below
    )
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    path = locks.debian_path(recipe.name)
    if path.exists() and (old := locks.debian(recipe.name)).packages == packages:
        now = old.snapshot  # nothing has changed: the file stays as it is
    return _write(path, locks.debian_text(locks.DebianLock(wanted.suite, now, packages)))


def _python(recipe: Recipe) -> Path:
    wanted = recipe.python
    assert wanted is not None  # noqa: S101  the caller has looked
    requirements = [*wanted.requirements, *_extra(wanted.extra)]
    program = uv.find()
    with tempfile.TemporaryDirectory(prefix="mlops-infra-lock-") as scratch:
        source = Path(scratch) / f"{recipe.name}.in"
        source.write_text("\n".join(requirements) + "\n")
        # uv knows no exclusion; an override that no interpreter meets is one
        never = Path(scratch) / "without.in"
        never.write_text("".join(f"{each} ; python_version < '3'\n" for each in wanted.without))
        command = [
            *(str(program), "pip", "compile", str(source), "--quiet", "--generate-hashes"),
            *("--python-version", wanted.version, "--python-platform", uv.PLATFORM),
            *("--only-binary", ":all:", "--no-header", "--annotation-style", "line"),
            *("--no-annotate", "--upgrade", "--override", str(never)),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise OperationFailed(
            f"uv cannot resolve the wheels of '{recipe.name}': {result.stderr.strip()[-800:]}",
            where=str(recipes.path_of(recipe.name)),
            hint="fix the requirements in the recipe, or check the package index",
        )
    return _write(locks.python_path(recipe.name), result.stdout)


def _extra(extra: str | None) -> list[str]:
    if extra is None:
        return []
    project = tomllib.loads((places.project() / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"][extra]]


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, text)
    return path
