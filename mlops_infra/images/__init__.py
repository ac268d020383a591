"""Images built from packages, without a daemon and without root."""

from __future__ import annotations

from pathlib import Path

from mlops_infra.images.builder import BuiltImage, build, build_many
from mlops_infra.images.keys import reference, references
from mlops_infra.images.rootfs import layer_files, unpack_layers

__all__ = ["BuiltImage", "build", "build_many", "reference", "references", "unpack"]


def unpack(built: BuiltImage, target: Path) -> Path:
    """Lay the image's files down in the new folder `target`, all or nothing; return it.

    A `target` that exists is taken as done. Owners are set only when run as root.

    Raises:
        OperationFailed: a layer is damaged, or an entry would leave the target.
    """
    return unpack_layers(layer_files(built.layout, built.digest), target)
