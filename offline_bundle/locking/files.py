"""Files: digests and sizes of what is found, made or downloaded now."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterable

from mlops_infra.progress import Sink, step
from offline_bundle.discover import WantedFile
from offline_bundle.fetch import hash_file
from offline_bundle.locking.wheel_licence import licence
from offline_bundle.model import LockedFile
from offline_bundle.pack.obtaining import make

_AT_A_TIME = 4


def lock_files(wanted: Iterable[WantedFile], sink: Sink) -> tuple[LockedFile, ...]:
    """Lock `wanted`; what was downloaded stays in the cache for the build.

    Raises:
        OperationFailed: a file cannot be had.
        InputError: an addition is not there.
    """
    found = list(wanted)
    with (
        step(sink, f"Locking {len(found)} files", total=len(found), unit="files") as work,
        concurrent.futures.ThreadPoolExecutor(_AT_A_TIME) as pool,
    ):
        locked = []
        for each in pool.map(lambda file: _lock(file, sink), found):
            locked.append(each)
            work.advance()
    return tuple(sorted(locked, key=lambda file: (file.kind, file.name, file.version)))


def _lock(file: WantedFile, sink: Sink) -> LockedFile:
    path = make(file.source, file.name, file.version, sink, sha256=file.sha256)
    own = licence(path) if file.kind == "wheel" and file.licence is None else None
    return LockedFile(
        kind=file.kind,
        name=file.name,
        version=file.version,
        sha256=hash_file(path, "sha256:").removeprefix("sha256:"),
        size=path.stat().st_size,
        filename=file.filename,
        source=file.source,
        licence=file.licence or own,
        found=file.found,
    )
