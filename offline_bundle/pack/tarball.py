"""Archives whose bytes depend on names, modes and contents alone."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable

EPOCH = 315_532_800
"""1 January 1980, seconds: the earliest date that every archive format can write."""


def tar_gz(files: Iterable[tuple[str, int, bytes]]) -> bytes:
    """A gzip archive of `(name, mode, content)`, in the order given.

    No name of the file, no time of the day and no owner goes in.
    """
    held = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=held, mode="wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, mode, content in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), mode, EPOCH
            tar.addfile(member, io.BytesIO(content))
    return held.getvalue()
