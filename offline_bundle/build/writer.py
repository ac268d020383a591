"""One writer at a time, and only in a folder that is a bundle or nothing yet."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops_infra.errors import InputError, StackLocked
from offline_bundle import layout

_OURS = frozenset(
    {
        layout.OCI_LAYOUT,
        layout.INDEX,
        layout.BLOBS,
        layout.BUNDLE,
        layout.SIGNATURE,
        layout.SIGSTORE,
        layout.DELTA,
        layout.LOCK,
        layout.BINARIES,
        layout.PLUGINS,
        layout.WHEELS,
        layout.FILES,
        layout.SBOM,
        layout.LICENCES,
        layout.WORK,
    }
)


class BundleLocked(StackLocked):
    """Another process writes into the bundle."""


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Make `folder` and hold it; the lock ends with the process, however that ends.

    Raises:
        InputError: the folder holds something that no bundle has.
        BundleLocked: another process builds there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    alien = sorted(each.name for each in folder.iterdir() if each.name not in _OURS)
    if alien:
        raise InputError(
            f"the folder has other content: {', '.join(alien[:3])}",
            where=str(folder),
            hint="choose an empty folder, or that of an earlier build",
        )
    (folder / layout.WORK).mkdir(exist_ok=True)
    with (folder / layout.WRITER).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BundleLocked(
                "another process is building this bundle",
                where=str(folder),
                hint="wait until it ends; its downloads are reused",
            ) from None
        yield
        with contextlib.suppress(FileNotFoundError):
            (folder / layout.WRITER).unlink()
