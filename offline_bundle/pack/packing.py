"""One file of the lock after the other, each to its place in the bundle."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from mlops_infra import files
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step
from offline_bundle import collisions, layout
from offline_bundle.model import Descriptor, Lock, LockedFile
from offline_bundle.pack import charts, wheels
from offline_bundle.pack.obtaining import obtain as from_source
from offline_bundle.pack.wheels import Wheel

Obtain = Callable[[LockedFile, Sink], Path]


def pack(
    lock: Lock, folder: Path, sink: Sink, *, obtain: Obtain = from_source
) -> tuple[Descriptor, ...]:
    """Bring every `LockedFile` of `lock` into the bundle `folder`.

    What lies there already with the right bytes is left; the same lock gives the same tree.

    Returns:
        The descriptors of the charts, for index.json.

    Raises:
        InputError: two files of the lock have one place in the bundle.
        OperationFailed: a file cannot be had, or is not what was locked.
    """
    collisions.require_distinct((place(file), file.source) for file in lock.files)
    placed: list[Descriptor] = []
    indexed: list[Wheel] = []
    total = sum(file.size for file in lock.files)
    title = f"Packing {len(lock.files)} charts, wheels and binaries"
    with step(sink, title, total=total, unit="bytes") as work:
        for file in lock.files:
            work.note(file.filename)
            source = _checked(file, obtain(file, sink))
            if file.kind == "chart":
                placed.append(charts.add(folder, file, source))
            elif file.kind == "wheel":
                indexed.append(wheels.add(folder, source, file.filename, file.sha256))
            else:
                _place(source, folder / place(file), file)
            work.advance(file.size)
        wheels.write_index(folder, indexed)
        _write_sums(folder, lock)
    return tuple(sorted(placed, key=lambda one: one.annotations[layout.REF_NAME]))


def place(file: LockedFile) -> str:
    """Path of a file in a bundle; that of a chart is only a name, it lies among the blobs."""
    return layout.file_path(file.kind, file.name, file.filename)


def _checked(file: LockedFile, source: Path) -> Path:
    """Whoever brought it, the bytes are compared with the lock before they are named."""
    found = files.sha256(source)
    if found != file.sha256:
        raise OperationFailed(
            f"{file.filename} differs from the lock: sha256 {found}, locked {file.sha256}",
            where=file.source,
            hint="if the change is intended: `mlops-infra bundle lock -s STACK -o LOCK`",
        )
    return source


def _place(source: Path, target: Path, file: LockedFile) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if file.kind == "binary" else 0o644
    if not (target.is_file() and files.sha256(target) == file.sha256):
        with source.open("rb") as reader, files.replacing(target, mode=mode) as writer:
            shutil.copyfileobj(reader, writer)
    target.chmod(mode)


def _write_sums(folder: Path, lock: Lock) -> None:
    binaries = sorted((f.filename, f.sha256) for f in lock.files if f.kind == "binary")
    if binaries:
        lines = [f"{sha256}  {name}\n" for name, sha256 in binaries]
        (folder / layout.BINARY_SUMS).write_text("".join(lines), "utf-8")
