"""Content keys and references of images: pure, known before anything is built."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

from mlops_infra import __version__, toolchain
from mlops_infra.errors import InputError
from mlops_infra.images import locks, program
from mlops_infra.images import recipe as recipes
from mlops_infra.images.recipe import Recipe, User

BUILDER = "2"
"""Rises whenever the builder writes other bytes for the same inputs."""

REGISTRY = "mlops-infra.local"
"""No such registry exists: these images are loaded or pushed under another name, never pulled."""


@dataclass(frozen=True, slots=True)
class LayerKey:
    """One layer of an image: what it is made by, and the hash of all its inputs."""

    recipe: str
    part: str
    """`debian`, `python`, `tools`, `program` or `files`."""
    key: str


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in (BUILDER, *parts):
        digest.update(str(len(part)).encode() + b":" + part.encode())
    return digest.hexdigest()


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def layer_keys(name: str) -> tuple[LayerKey, ...]:
    """The layers of image `name`, the lowest first.

    A layer's key holds its own inputs alone, so that images share the layers of a base. Those of
    Python files depend on the interpreter that compiles them as well. The layer of our own code is
    the last one: a change of the code writes that one anew and leaves all others, and whatever has
    taken them in, as they are.

    Raises:
        InputError: the recipe is wrong or not locked.
    """
    keys: list[LayerKey] = []
    users: tuple[User, ...] = ()
    for recipe in recipes.lineage(name):
        users += recipe.users
        interpreter = " ".join(layer.key for layer in keys if layer.part == "debian")
        for part, inputs in _parts(recipe, users, interpreter):
            keys.append(LayerKey(recipe.name, part, _hash(part, *inputs)))
    return tuple(keys)


def _parts(
    recipe: Recipe, users: tuple[User, ...], interpreter: str
) -> list[tuple[str, list[str]]]:
    parts: list[tuple[str, list[str]]] = []
    compiled = str(recipe.bytecode)
    # /etc/passwd names those of all bases; a base's lowest layer has it, else that of the files
    everyone = [user.model_dump() for user in users]
    lowest = {"users": everyone if recipe.system else []}
    if recipe.debian:
        chosen = _canonical(recipe.debian.model_dump())
        extra = _canonical(recipe.model_dump(include={"system", "applets"}) | lowest)
        lock = locks.content(locks.debian_path(recipe.name), recipe.name)
        parts.append(("debian", [chosen, extra, compiled, lock]))
    if recipe.python:
        chosen = _canonical(recipe.python.model_dump())
        lock = locks.content(locks.python_path(recipe.name), recipe.name)
        parts.append(("python", [chosen, lock, compiled, interpreter]))
    if recipe.tools:
        binaries = [f"{tool.path}={toolchain.key(tool.name)}" for tool in recipe.tools]
        parts.append(("tools", binaries))
    named = everyone if recipe.users and not recipe.system else []
    if named or recipe.folders or recipe.files or recipe.links:
        spelled = recipe.model_dump(include={"folders", "files", "links"}) | {"users": named}
        parts.append(("files", [_canonical(spelled)]))
    if recipe.program:
        parts.append(("program", [program.key(), compiled, interpreter]))
    return parts


def key(name: str) -> str:
    """The content key of image `name`: SHA-256 over its recipe, its locks and its tools' keys."""
    chain = [recipe.model_dump_json() for recipe in recipes.lineage(name)]
    return _hash("image", version(recipes.load(name)), *chain, *(k.key for k in layer_keys(name)))


def version(recipe: Recipe) -> str:
    """The version of the main program, in the alphabet of an image's tag.

    Raises:
        InputError: the lock that the recipe takes it from does not name it.
    """
    source, _, wanted = recipe.version.partition(":")
    found: str | None = recipe.version
    if source == "deb":
        packages = locks.debian(recipe.name).packages
        found = next((_upstream(p.version) for p in packages if p.name == wanted), None)
    elif source == "pip":
        pinned = locks.wheels(recipe.name)
        found = next((wheel.version for wheel in pinned if wheel.name == wanted), None)
    elif source == "tool":
        found = toolchain.version(wanted)
    elif source == "program":
        found = __version__
    if found is None:
        raise InputError(
            f"the lock of image '{recipe.name}' has no '{wanted}'",
            hint=f"run: mlops-infra images lock {recipe.name}",
        )
    return re.sub(r"[^A-Za-z0-9_.-]", "-", found.removeprefix("v"))


def _upstream(debian_version: str) -> str:
    """`1.7.24` of `1:1.7.24~ds1-6+deb13u1`."""
    without_epoch = debian_version.split(":", 1)[-1]
    return re.split(r"[-+~]", without_epoch, maxsplit=1)[0]


def reference(name: str) -> str:
    """`mlops-infra.local/<name>:<version>-<key8>`; nothing is built or fetched.

    Raises:
        InputError: no such recipe, or it is not locked.
    """
    return f"{REGISTRY}/{name}:{version(recipes.load(name))}-{key(name)[:8]}"


def references() -> dict[str, str]:
    """The reference of every image, by recipe."""
    return {name: reference(name) for name in recipes.names()}
