"""Brings a model's files to where the tenant's servers may read them.

Training writes to the platform's bucket; a tenant's servers hold keys to the tenant's own bucket
alone. So a version that is to serve is copied there, once: it then serves on even if the experiment
is deleted, and another tenant's servers cannot read it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from mlops_infra.lifecycle.registry.versions import Registered, Registry
from mlops_infra.lifecycle.services.object_store import ObjectStore

_FILES, _DONE = "files", "complete"
"""The second is written last, with the digest of all files: what has it is whole. KServe fetches
all that begins with the path it is given: `…/1` would fetch version 10 too, `…/1/files` does not.
"""


class Publisher(Protocol):
    """Makes a version's files readable for servers."""

    def publish(self, registered: Registered) -> str:
        """The URI to serve from."""


class TenantBucket:
    """A `Publisher` that copies into a bucket."""

    def __init__(self, store: ObjectStore, bucket: str, registry: Registry) -> None:
        self._store = store
        self._bucket = bucket
        self._registry = registry

    def publish(self, registered: Registered) -> str:
        """Copy the files unless they are there already; a killed copy is made again."""
        prefix = f"models/{registered.name}/{registered.version}"
        mark = f"{prefix}/{_DONE}"
        if not self._store.exists(mark):
            with tempfile.TemporaryDirectory() as held:
                folder = Path(held)
                self._registry.download(registered, folder)
                digest = hashlib.sha256()
                for name, file in _files(folder):
                    body = file.read_bytes()
                    digest.update(f"{name}\0{len(body)}\0".encode() + body)
                    self._store.put(f"{prefix}/{_FILES}/{name}", body)
                self._store.put(mark, digest.hexdigest().encode())
        return f"s3://{self._bucket}/{prefix}/{_FILES}"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file
