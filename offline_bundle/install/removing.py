"""Takes an installation away, and nothing that is not part of one."""

from __future__ import annotations

from pathlib import Path

from mlops_infra.errors import FoundError, InputError, OperationFailed
from mlops_infra.files import remove_tree
from offline_bundle.install import in_use, places

_SHOWN = 3
OURS = (
    places.CURRENT,
    places.ENVIRONMENT,
    places.RELEASES,
    places.CACHE,
    places.LOCK,
    places.MARK,
)
"""In this order: what is in use goes first, the mark last, so that a killed removal can go on."""


def remove(root: Path) -> bool:
    """Remove the installation in `root`; False where there is none.

    Raises:
        InputError: the folder is there and is no installation.
        OperationFailed: an embedded cluster, or another program of it, runs.
        FoundError: files of somebody else remain; they are named and left alone.
    """
    if not root.is_dir() or not any(root.iterdir()):
        return False
    if not (root / places.MARK).is_file():
        raise InputError(
            "not an installation of a bundle",
            where=str(root),
            hint=f"it has no {places.MARK}, so nothing was removed",
        )
    users = in_use.users(root)
    if users:
        raise OperationFailed(
            f"the installation is in use: {'; '.join(users[:_SHOWN])}",
            where=str(root),
            hint="first: `mlops-infra down -s STACK`, or `mlops-infra cluster delete NAME`",
        )
    for name in OURS:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    left = sorted(path.name for path in root.iterdir())
    if left:
        raise FoundError(
            "the installation was removed; files that are not part of it remain",
            left,
            where=str(root),
            hint="see what they are, then remove them by hand",
        )
    root.rmdir()
    return True
