"""Lock files of the recipes: exactly which Debian packages and wheels an image is made of.

`recipes/locks/<recipe>.debian.json` and `recipes/locks/<recipe>.python.txt`; written by
`mlops-infra images lock`, read by everything else.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_infra.errors import InputError
from mlops_infra.images import recipe as recipes

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


@dataclass(frozen=True, slots=True)
class Package:
    """One Debian package, pinned."""

    name: str
    version: str
    architecture: str
    source: str
    """Name of the source package."""
    section: str
    """Archive below the mirror: `debian` or `debian-security`."""
    path: str
    """Path in the archive: `pool/main/…`."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class DebianLock:
    """The packages that a recipe adds to its base, in the order in which they are laid down."""

    suite: str
    snapshot: str
    """Time stamp (`20261121T000000Z`) at which snapshot.debian.org holds all of them."""
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Wheel:
    """One line of a Python lock."""

    name: str
    version: str


def debian_path(name: str) -> Path:
    """The Debian lock of recipe `name`."""
    return recipes.folder() / "locks" / f"{name}.debian.json"


def python_path(name: str) -> Path:
    """The Python lock of recipe `name`: a requirements file with hashes."""
    return recipes.folder() / "locks" / f"{name}.python.txt"


def content(path: Path, name: str) -> str:
    """The text of a lock.

    Raises:
        InputError: the recipe has not been locked.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise InputError(
            f"the packages of image '{name}' are not locked",
            where=str(path),
            hint=f"run: mlops-infra images lock {name}",
        ) from None


def debian(name: str) -> DebianLock:
    """Read the Debian lock of recipe `name`.

    Raises:
        InputError: there is none, or it is not one.
    """
    path = debian_path(name)
    try:
        raw = json.loads(content(path, name))
        packages = tuple(Package(**package) for package in raw["packages"])
        return DebianLock(raw["suite"], raw["snapshot"], packages)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"not a lock file: {error}",
            where=str(path),
            hint=f"run: mlops-infra images lock {name}",
        ) from error


def debian_text(lock: DebianLock) -> str:
    """The file's text: one package a line, so that a review shows what changed."""
    lines = ",\n".join(f"    {json.dumps(asdict(package))}" for package in lock.packages)
    head = f'  "suite": "{lock.suite}",\n  "snapshot": "{lock.snapshot}",\n'
    return f'{{\n{head}  "packages": [\n{lines}\n  ]\n}}\n'


def wheels(name: str) -> tuple[Wheel, ...]:
    """The projects and versions in the Python lock of recipe `name`, sorted by name."""
    found = [
        Wheel(match[1].lower().replace("_", "-"), match[2])
        for line in content(python_path(name), name).splitlines()
        if (match := _PINNED.match(line))
    ]
    return tuple(sorted(found, key=lambda wheel: wheel.name))
