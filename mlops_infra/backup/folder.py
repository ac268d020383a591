"""The folder of one backup: files named in a manifest that is written last.

::

    manifest.json          what, when, and the SHA-256 and size of every file below
    sql/<database>.dump    `pg_dump --format=custom`
    keys.jsonl             one key a line: name, time to live, Valkey's DUMP in base64
    buckets/<name>.jsonl   one object a line: key, sha256, size, content type, metadata
    objects/<aa>/<sha256>  content of objects, each once

A folder without a manifest is an interrupted backup: the same command goes on with it. Restoring
trusts nothing that is not in the manifest, and nothing whose hash differs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlops_infra import files
from mlops_infra.errors import FoundError, InputError

FORMAT = 1
_CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a bucket."""

    key: str
    sha256: str
    size: int
    """Bytes."""
    etag: str
    """As the store told it; lets a resumed backup skip what did not change."""
    content_type: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a whole backup holds."""

    stack: str
    version: str
    """Version of mlops-infra that wrote it."""
    taken: str
    """UTC, ISO 8601."""
    databases: dict[str, str]
    """Database to its owner."""
    buckets: dict[str, int]
    """Bucket to its number of objects."""
    keys: int
    """Keys of the key-value store."""
    files: dict[str, dict[str, Any]]
    """Relative path to `sha256` and `size`; objects are named by their own hash and not listed."""
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of the listed files."""
        return sum(int(each["size"]) for each in self.files.values())


class BackupFolder:
    """Reads and writes one backup."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def manifest_file(self) -> Path:
        """Written last: its presence is the backup's completeness."""
        return self.root / "manifest.json"

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone: dumps hold everything.

        Raises:
            InputError: it holds a finished backup, or something else.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.manifest_file.exists():
            raise InputError(
                "the folder has a finished backup", where=str(self.root), hint="use a new folder"
            )
        alien = sorted(
            {p.name for p in self.root.iterdir()} - {"sql", "keys.jsonl", "buckets", "objects"}
        )
        if alien:
            raise InputError(
                f"the folder has other content: {alien[0]}",
                where=str(self.root),
                hint="use a new folder",
            )
        for name in ("sql", "buckets", "objects"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)

    def sql(self, database: str) -> Path:
        """Dump of one database."""
        return self.root / "sql" / f"{_named(database)}.dump"

    def bucket(self, name: str) -> Path:
        """Index of one bucket."""
        return self.root / "buckets" / f"{_named(name)}.jsonl"

    @property
    def keys(self) -> Path:
        """Dump of the key-value store."""
        return self.root / "keys.jsonl"

    def object(self, sha256: str) -> Path:
        """Content of one object."""
        if not _SHA256.fullmatch(sha256):
            raise FoundError("an index entry is not a hash", [sha256[:80]])
        return self.root / "objects" / sha256[:2] / sha256

    def objects(self, bucket: str) -> Iterator[StoredObject]:
        """The index of a bucket, line by line.

        Raises:
            FoundError: a line is not one that this program writes.
        """
        file = self.bucket(bucket)
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield StoredObject(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise FoundError(
                        "the backup is damaged", [f"{file.name}, line {number}: {error}"]
                    ) from error

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, whole or not at all."""
        text = json.dumps(asdict(manifest), indent=2, sort_keys=True)
        files.write(self.manifest_file, text, mode=0o600)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Hash and size of every file that the manifest lists."""
        listed = [*self.root.glob("sql/*.dump"), *self.root.glob("buckets/*.jsonl"), self.keys]
        return {
            str(file.relative_to(self.root)): {
                "sha256": files.sha256(file),
                "size": file.stat().st_size,
            }
            for file in sorted(listed)
            if file.exists()
        }

    def read(self) -> Manifest:
        """The manifest, with every file it lists checked.

        Raises:
            InputError: there is no finished backup here, or a later release wrote it.
            FoundError: a file is missing or has another content.
        """
        try:
            manifest = Manifest(**json.loads(self.manifest_file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise InputError(
                "the folder has no finished backup",
                where=str(self.root),
                hint="mlops-infra backup -s STACK --output FOLDER continues an interrupted one",
            ) from error
        except (ValueError, TypeError) as error:
            raise FoundError("the backup's manifest is damaged", [str(error)]) from error
        if manifest.format != FORMAT:
            raise InputError(
                f"the backup has format {manifest.format}, this release reads {FORMAT}",
                where=str(self.manifest_file),
                hint="restore it with the release that wrote it",
            )
        self._check(manifest)
        return manifest

    def _check(self, manifest: Manifest) -> None:
        wrong = []
        for name, expected in manifest.files.items():
            path = (self.root / name).resolve()
            if not path.is_relative_to(self.root.resolve()):
                wrong.append(f"{name}: leads out of the folder")
            elif not path.is_file():
                wrong.append(f"{name}: missing")
            elif files.sha256(path) != expected["sha256"]:
                wrong.append(f"{name}: its content has changed")
        for bucket in manifest.buckets if not wrong else ():
            for each in self.objects(bucket):
                file = self.object(each.sha256)
                if not file.is_file() or file.stat().st_size != each.size:
                    wrong.append(f"{bucket}/{each.key}: its content is missing or truncated")
        if wrong:
            raise FoundError(
                f"the backup is damaged: {len(wrong)} files",
                wrong,
                where=str(self.root),
                hint="copy the folder again from its archive",
            )


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise FoundError("a name in the backup is not a valid file name", [name[:80]])
    return name
