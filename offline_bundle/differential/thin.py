"""Turns a sealed bundle into a difference: what the base has is taken out, nothing else changes."""

from __future__ import annotations

from pathlib import Path

from mlops_infra import files
from offline_bundle import layout
from offline_bundle.differential.base import Base
from offline_bundle.volumes import images as contained
from offline_bundle.volumes import open_source
from offline_bundle.volumes.delta import Delta


def thin(folder: Path, base: Base) -> Delta:
    """Remove from the sealed bundle `folder` what `base` has, and write `delta.json`.

    Lists and manifests stay: they are small, and say what is missing where the base is lost.
    A killed run is completed by running it again.

    Raises:
        InputError, FoundError: the folder is no sealed bundle.
    """
    source = open_source([folder])
    kept = {layout.OCI_LAYOUT, layout.INDEX, layout.LOCK, layout.LICENCES}
    kept |= {layout.blob_path(digest) for digest in contained.manifests(source)}
    absent = tuple(
        entry.path
        for entry in source.contents.entries
        if base.has(entry) and not (entry.path in kept and source.has(entry))
    )
    made = Delta(base.identity, base.kind, absent)
    # first the explanation: a kill in between leaves too much rather than too little
    files.write(folder / layout.DELTA, made.encode())
    for path in absent:
        (folder / path).unlink(missing_ok=True)
    _remove_empty(folder)
    return made


def _remove_empty(folder: Path) -> None:
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
