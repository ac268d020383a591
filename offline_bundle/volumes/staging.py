"""Keeps parts of files that are larger than a volume, where volumes come one at a time.

Everything else goes straight from the medium to where it belongs. Only a file that was cut over
several media, of which one at a time can be read, has to be collected on this machine.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from mlops_infra.errors import OperationFailed
from offline_bundle.volumes.source import Source


def keep_parts(source: Source, staging: Path) -> int:
    """Copy the parts that are here, of files that are not here whole, below `staging`.

    Returns the bytes that were copied; a part that was kept before is not copied again.

    Raises:
        OperationFailed: the disk cannot take them; said before the first byte.
    """
    target = staging / source.identity.partition(":")[2]
    wanted = {}
    for folder in source.folders:
        if folder.header is None or folder.path == target:
            continue
        for chunk in folder.header.volumes[folder.header.number - 1].chunks:
            entry = source.contents.by_path.get(chunk.path)
            file = folder.file(chunk.file, chunk.size)
            if entry is not None and file is not None and not source.has(entry):
                wanted[target / chunk.file] = (file, chunk.size)
    todo = {to: each for to, each in wanted.items() if not _is_kept(to, each[1])}
    needed = sum(size for _, size in todo.values())
    staging.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(staging).free
    if needed > free:
        raise OperationFailed(
            f"parts of {needed} bytes have to be stored, {free} are free",
            where=str(staging),
            hint="provide all volumes at once, or another folder",
        )
    for to, (file, _) in todo.items():
        to.parent.mkdir(parents=True, exist_ok=True)
        making = to.with_name(f".{to.name}.partial")
        shutil.copyfile(file, making)
        making.replace(to)
    return needed


def forget_parts(source: Source, staging: Path) -> None:
    """Remove the parts of files that are complete elsewhere now."""
    shutil.rmtree(staging / source.identity.partition(":")[2], ignore_errors=True)


def _is_kept(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size
