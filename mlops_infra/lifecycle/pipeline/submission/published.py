"""Pipelines that a tenant has published: numbered versions of its code, in its bucket.

A version never changes: its document is created, never replaced, and names its code by content.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Code, Pipeline
from mlops_infra.lifecycle.pipeline.definition.places import FOLDER, code_object
from mlops_infra.lifecycle.pipeline.definition.standard import is_standard
from mlops_infra.lifecycle.pipeline.source.user_pipeline import from_code
from mlops_infra.lifecycle.services.environment import Environment

_FORMAT = 1
_HOME = f"s3:///{FOLDER}/published/"
_KEY = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,39})/(?P<version>[1-9][0-9]{0,8})\.json")
_REFERENCE = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,39})(?:@(?P<version>[1-9][0-9]{0,8}))?")
_ATTEMPTS = 20
"""People who publish under one name at one moment."""


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a pipeline."""

    name: str
    version: int
    """From 1."""
    file: str
    """Name of the file that it was published from, without folders."""
    sha256: str
    """Of its code, by which the bucket names it."""
    commit: str | None
    published: str
    """Time in UTC, ISO 8601."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def place(self) -> str:
        """The object that holds this description."""
        return f"{_HOME}{self.name}/{self.version}.json"


def publish(pipeline: Pipeline, around: Environment) -> tuple[Version, bool]:
    """Keep the pipeline as the next version of its name.

    Published again unchanged, it is the version that it was: to repeat the command is no error.

    Args:
        pipeline: of a person's file; its name is that of the versions.
        around: has the tenant's bucket.

    Returns:
        The version, and whether it is new.

    Raises:
        InputError: the name is that of a built-in pipeline, or no bucket is configured.
        OperationFailed: the object store refuses.
    """
    if is_standard(pipeline.name):
        raise InputError(f"'{pipeline.name}' is a built-in pipeline", hint="choose another --name")
    code = pipeline.code
    if code is None:
        raise InputError(f"'{pipeline.name}' has no code of its own to publish")
    storage.write(code_object(code.sha256), code.text.encode(), around)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for _ in range(_ATTEMPTS):
        last = max(_numbers(pipeline.name, around), default=0)
        if last and (latest := _described(pipeline.name, last, around)).sha256 == code.sha256:
            return latest, False
        made = Version(pipeline.name, last + 1, code.file, code.sha256, code.commit, now)
        body = json.dumps({"format": _FORMAT, **asdict(made)}, indent=2).encode()
        if storage.create(made.place, body, around):
            return made, True
    raise OperationFailed(f"others publish '{pipeline.name}' all the time", hint="try again")


def versions(around: Environment) -> list[Version]:
    """All published versions of the tenant, by name and number."""
    found = sorted(_keys("", around))
    return [_described(name, version, around) for name, version in found]


def read(reference: str, around: Environment) -> Pipeline:
    """The pipeline of a reference.

    Args:
        reference: `NAME` for the latest version, `NAME@VERSION` for that one.
        around: has the tenant's bucket.

    Raises:
        InputError: nothing of this name or number is published.
        OperationFailed: the object store does not answer, or its code is not what was published.
    """
    asked = _REFERENCE.fullmatch(reference)
    numbers = list(_numbers(asked["name"], around)) if asked else []
    if asked is None or not numbers:
        names = sorted({name for name, _ in _keys("", around)})
        raise InputError(
            f"no such pipeline: '{reference}'",
            hint=f"published are: {', '.join(names) or 'none'}; or name a .py or .ipynb file",
        )
    version = int(asked["version"] or max(numbers))
    if version not in numbers:
        raise InputError(
            f"'{asked['name']}' has no version {version}", hint=f"the latest is {max(numbers)}"
        )
    found = _described(asked["name"], version, around)
    place = code_object(found.sha256)
    body = storage.read(place, around)
    if storage.digest(body) != found.sha256:
        raise OperationFailed(
            f"the code of {found} is not what was published", where=place, hint="publish it again"
        )
    return from_code(Code(body.decode(), found.sha256, found.file, found.commit), found.name)


def _numbers(name: str, around: Environment) -> Iterator[int]:
    return (version for _, version in _keys(f"{name}/", around))


def _keys(below: str, around: Environment) -> Iterator[tuple[str, int]]:
    for key in storage.names(_HOME + below, around):
        if found := _KEY.fullmatch(below + key):
            yield found["name"], int(found["version"])


def _described(name: str, version: int, around: Environment) -> Version:
    place = f"{_HOME}{name}/{version}.json"
    try:
        told = json.loads(storage.read(place, around))
        if told.pop("format") != _FORMAT:
            raise OperationFailed(
                f"{name}@{version} was published by another release", where=place, hint="upgrade"
            )
        found = Version(**told)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OperationFailed(
            f"the description of {name}@{version} cannot be read: {error}", where=place
        ) from error
    if (found.name, found.version) != (name, version):
        raise OperationFailed(f"the description is that of {found}", where=place)
    return found
