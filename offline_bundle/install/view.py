"""The bundle as one folder, whatever media it lies on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mlops_infra import files
from mlops_infra.errors import FoundError, OperationFailed
from mlops_infra.progress import Step
from offline_bundle import layout
from offline_bundle.sealing.contents import Entry
from offline_bundle.volumes import Source


def lay(source: Source, folder: Path, *, copy: bool, work: Step) -> None:
    """Make `folder` the whole bundle of `source`, every byte hashed on the way.

    Args:
        source: the bundle, from a folder or from volumes.
        folder: where to; what is there already is hashed and kept if it is right.
        copy: copy all of it, for media that will be taken away; else files in one piece become
            links, and only what is spread over several volumes is put together.
        work: advanced by bytes.

    Raises:
        FoundError: a file is not what the signed list says.
        MissingError: a volume is missing.
        OperationFailed: the disk is full, or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for entry in source.contents.entries:
        _one(source, entry, folder / entry.path, copy=copy)
        work.advance(entry.size)
    files.write(folder / layout.BUNDLE, source.raw)


def _one(source: Source, entry: Entry, target: Path, *, copy: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    pieces = source.pieces(entry)
    whole = len(pieces) == 1 and pieces[0].start == 0 and pieces[0].length == entry.size
    if whole and not copy:
        _require(entry, _hash(source, entry))
        files.link(target, pieces[0].file.absolute())
        return
    digest = hashlib.sha256()
    try:
        with files.replacing(target) as file:
            for block in source.stream(entry):
                digest.update(block)
                file.write(block)
            _require(entry, digest.hexdigest())
    except OSError as error:
        raise OperationFailed(
            f"cannot write {entry.path}: {error.strerror}",
            where=str(target.parent),
            hint="free some room there, then run the command again",
        ) from error


def _hash(source: Source, entry: Entry) -> str:
    digest = hashlib.sha256()
    for block in source.stream(entry):
        digest.update(block)
    return digest.hexdigest()


def _require(entry: Entry, found: str) -> None:
    if found != entry.sha256:
        raise FoundError(
            f"{entry.path} is damaged",
            [entry.path],
            hint="`mlops-infra bundle verify DIR` lists the damaged files; carry them again",
        )
