"""A recipe: what an image is made of, one YAML file in `recipes/` (bases in `recipes/bases/`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mlops_infra import places
from mlops_infra.errors import ConfigError, InputError, Problem

AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$")]
Numeric = Annotated[str, StringConstraints(pattern=r"^\d+:\d+$")]
"""`uid:gid`: Kubernetes can only prove a numeric user to be another than root."""
Mode = Annotated[str, StringConstraints(pattern=r"^0[0-7]{3,4}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Debian(_Part):
    """Packages of one Debian suite; which versions is the lock's business."""

    suite: Literal["bookworm", "trixie"]
    packages: tuple[str, ...] = Field(min_length=1)
    without: tuple[str, ...] = ()
    """Dependencies that are not followed: what only a running Debian needs."""
    exclude: tuple[str, ...] = ()
    """Shell patterns of paths that are left out."""


class Python(_Part):
    """Wheels for the interpreter of the base, in its own `dist-packages`."""

    version: Annotated[str, StringConstraints(pattern=r"^3\.\d+\.\d+$")]
    """Of the base's interpreter, to the patch: markers are evaluated for it."""
    requirements: tuple[str, ...] = ()
    extra: str | None = None
    """An extra of this repository's own pyproject.toml whose requirements are added."""
    without: tuple[str, ...] = ()
    """Projects that are left out although others depend on them: what only serves features that
    the image is not for."""
    exclude: tuple[str, ...] = ()
    """Shell patterns of paths in the packages' folder that are left out."""


class Tool(_Part):
    """A static binary, or a folder of scripts, of `mlops_infra.toolchain`."""

    name: str
    path: AbsolutePath


class User(_Part):
    """A line of /etc/passwd and of /etc/group."""

    name: str
    id: Annotated[int, Field(gt=0, lt=2**31)]
    home: AbsolutePath = "/"


class Applets(_Part):
    """Links to a multi-call binary, placed only where no package has put the real program."""

    binary: AbsolutePath
    folder: AbsolutePath
    names: tuple[str, ...]


class Folder(_Part):
    """A folder that no package brings."""

    owner: Numeric = "0:0"
    mode: Mode = "0755"


class File(_Part):
    """A file whose content stands in the recipe."""

    content: str
    mode: Mode = "0644"


class Run(_Part):
    """The image's configuration: what a container runs, and as whom."""

    user: Numeric
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    folder: AbsolutePath = "/"
    ports: tuple[int, ...] = ()
    stop_signal: str | None = Field(None, alias="stopSignal")


class Recipe(_Part):
    """One image, or one base that images share as their lowest layers."""

    name: str
    description: str
    version: str
    """Literal, or `deb:PACKAGE`, `pip:PROJECT`, `tool:NAME`, `program`: taken from there."""
    licences: str
    """SPDX expression of the main program."""
    base: str | None = None
    debian: Debian | None = None
    python: Python | None = None
    tools: tuple[Tool, ...] = ()
    program: bool = False
    """Whether this repository's own packages are in it."""
    users: tuple[User, ...] = ()
    system: bool = False
    """Whether we write what maintainer scripts would: certificates, links of merged /usr, /tmp."""
    bytecode: bool = False
    """Whether Python files are compiled ahead, by the image's own interpreter."""
    applets: Applets | None = None
    folders: dict[AbsolutePath, Folder] = {}
    files: dict[AbsolutePath, File] = {}
    links: dict[AbsolutePath, str] = {}
    run: Run | None = None


def folder() -> Path:
    """Where the recipes are."""
    return places.project() / "recipes"


def path_of(name: str) -> Path:
    """The file of recipe `name`.

    Raises:
        InputError: there is none of that name.
    """
    for candidate in (folder() / f"{name}.yaml", folder() / "bases" / f"{name}.yaml"):
        if candidate.is_file():
            return candidate
    raise InputError(
        f"no such image recipe: '{name}'",
        where=str(folder()),
        hint=f"one of: {', '.join(names())}",
    )


def names() -> tuple[str, ...]:
    """The recipes that are images of their own, sorted; bases are not among them."""
    return tuple(sorted(file.stem for file in folder().glob("*.yaml")))


def bases() -> tuple[str, ...]:
    """The recipes that other recipes build upon, sorted."""
    return tuple(sorted(file.stem for file in (folder() / "bases").glob("*.yaml")))


def compiles(name: str) -> bool:
    """Whether recipe `name` takes a program of the toolchain in, which may have to be compiled.

    Raises:
        InputError: there is none of that name.
    """
    return any(each.tools for each in lineage(name))


@cache
def _read(file: Path, _stamp: int) -> Recipe:
    try:
        return Recipe.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"not YAML: {error}", where=str(file), hint="fix the file") from error
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in item["loc"]), item["msg"])
            for item in error.errors()
        ]
        raise ConfigError(str(file), problems, hint="fix the recipe") from error


def load(name: str) -> Recipe:
    """The recipe `name`, checked.

    Raises:
        InputError: no such recipe, or it does not fit the model (all mistakes at once).
    """
    file = path_of(name)
    recipe = _read(file, file.stat().st_mtime_ns)
    if recipe.name != name:
        raise InputError(
            f"the recipe's name is '{recipe.name}'",
            where=str(file),
            hint=f"write: name: {name}",
        )
    return recipe


def lineage(name: str) -> tuple[Recipe, ...]:
    """The recipe and its bases, the lowest first.

    Raises:
        InputError: a base is missing, or the bases go in a circle.
    """
    chain: list[Recipe] = []
    following: str | None = name
    while following is not None:
        if any(known.name == following for known in chain):
            raise InputError(f"the bases of image '{name}' form a cycle at '{following}'")
        recipe = load(following)
        chain.insert(0, recipe)
        following = recipe.base
    return tuple(chain)
