"""Images built from packages, without a daemon and without root."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlops_infra.images.answers import answers
from mlops_infra.images.builder import BuiltImage, build, build_many, find
from mlops_infra.images.bundled import folder as bundle_folder
from mlops_infra.images.bundled import references as bundled_references
from mlops_infra.images.keys import reference, references
from mlops_infra.images.listing import Listed, listing
from mlops_infra.images.pruning import Pruned, prune
from mlops_infra.images.recipe import bases, compiles, names
from mlops_infra.images.rootfs import layer_files, unpack_layers
from mlops_infra.progress import Sink

__all__ = [
    "BuiltImage",
    "Listed",
    "Pruned",
    "answers",
    "build",
    "build_many",
    "bundle_folder",
    "bundled_references",
    "compiles",
    "find",
    "listing",
    "lock",
    "names",
    "prune",
    "reference",
    "references",
    "unpack",
]


def lock(wanted: Iterable[str], sink: Sink) -> list[Path]:
    """Pin the packages of the images and bases `wanted`, all where empty; returns the files.

    A base that is not named and has a lock keeps it.

    Raises:
        InputError: a package is not offered.
        MissingError: apt or uv is not installed.
        OperationFailed: an index cannot be reached or is not what was signed.
    """
    from mlops_infra.images import locking  # only maintainers come here

    return locking.lock(tuple(wanted) or (*bases(), *names()), sink)


def unpack(built: BuiltImage, target: Path) -> Path:
    """Lay the image's files down in the new folder `target`, all or nothing; return it.

    A `target` that exists is taken as done. Owners are set only when run as root.

    Raises:
        OperationFailed: a layer is damaged, or an entry would leave the target.
    """
    return unpack_layers(layer_files(built.layout, built.digest), target)
