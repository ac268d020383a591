"""Keeps schemas beside the data they describe, each change a new version, none ever overwritten.

The schemas of `tables/wine.csv` are `tables/wine.csv.schema/1.json`, `2.json` and so on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.validation.schema import TableSchema, from_json

_VERSION = re.compile(r"\.schema/([1-9][0-9]{0,8})\.json$")


class Files(Protocol):
    """Where schemas are kept: a folder, or a bucket."""

    def names(self, prefix: str) -> Iterable[str]:
        """Names that begin with `prefix`."""

    def read(self, name: str) -> bytes:
        """The content of one file; OperationFailed where it is not there."""

    def create(self, name: str, body: bytes) -> bool:
        """Write a file unless it exists; whether it was written."""


class FolderFiles:
    """Files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self, prefix: str) -> list[str]:
        """Names that begin with `prefix`."""
        below = (self._folder / prefix).parent
        found = below.rglob("*") if below.is_dir() else ()
        names = (each.relative_to(self._folder).as_posix() for each in found if each.is_file())
        return sorted(name for name in names if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        """The content of one file."""
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise OperationFailed(f"cannot read the schema: {error}", where=name) from error

    def create(self, name: str, body: bytes) -> bool:
        """Write a file unless it exists; a reader never sees half of it."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        scratch.write_bytes(body)
        try:
            os.link(scratch, path)
        except FileExistsError:
            return False
        finally:
            scratch.unlink()
        return True


class SchemaKeeper:
    """The schemas of the data in one place."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def versions(self, data: str) -> list[int]:
        """Versions of the schema of `data`, oldest first."""
        names = self._files.names(f"{data}.schema/")
        return sorted(int(match[1]) for name in names if (match := _VERSION.search(name)))

    def read(self, data: str, version: int | None = None) -> tuple[int, TableSchema]:
        """One version, the latest where none is named.

        Raises:
            InputError: there is none, or it is not a schema.
            OperationFailed: the place cannot be read.
        """
        there = self.versions(data)
        wanted = version or (there[-1] if there else None)
        if wanted is None or wanted not in there:
            raise InputError(
                f"{data} has no schema" + (f" of version {version}" if version else ""),
                where=f"versions: {', '.join(map(str, there)) or 'none'}",
                hint="infer one from good data",
            )
        name = _name(data, wanted)
        return wanted, from_json(self._files.read(name).decode(), name)

    def keep(self, data: str, schema: TableSchema) -> int:
        """Store `schema` as the latest version; the one it equals where that is the latest."""
        while True:
            there = self.versions(data)
            if there and self.read(data)[1] == schema:
                return there[-1]
            version = there[-1] + 1 if there else 1
            if self._files.create(_name(data, version), schema.to_json().encode()):
                return version
            # someone else was faster: look again


def _name(data: str, version: int) -> str:
    return f"{data}.schema/{version}.json"
