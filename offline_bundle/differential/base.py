"""What a difference is made against: an earlier bundle, or the receipt of what has arrived."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.push import receipt as receipts
from offline_bundle.sealing import Entry
from offline_bundle.volumes import open_source
from offline_bundle.volumes.delta import BaseKind
from offline_bundle.volumes.images import manifests


@dataclass(frozen=True, slots=True)
class Base:
    """What the other side has already."""

    identity: str
    kind: BaseKind
    held: frozenset[str]
    """sha256 (hex) of blobs that need not be carried again; `seal` takes this.

    Manifests are not among them: they are small, and with them a difference says what it lacks,
    and puts an image that the base had under another name.
    """
    paths: frozenset[tuple[str, str]]
    """Path and sha256 of files that need not be carried again; empty for a receipt."""

    def has(self, entry: Entry) -> bool:
        """Whether `entry` can be left to the base."""
        if entry.path.startswith(f"{layout.BLOBS}/"):
            return entry.sha256 in self.held
        return (entry.path, entry.sha256) in self.paths


def read_base(paths: Sequence[Path], *, key: Path | None = None) -> Base:
    """Read a base: the folder of a bundle (or its volumes), or the file of a receipt.

    Args:
        paths: one receipt, or the folders of one bundle.
        key: public key that a receipt has to be signed with; of a bundle, `verify` says that.

    Raises:
        InputError: it is neither.
        FoundError: the receipt is not signed with `key`.
    """
    if len(paths) == 1 and paths[0].is_file():
        receipt = receipts.read(paths[0], key=key)
        held = frozenset(receipt.held) - _hex(d for i in receipt.images for d in i.manifests)
        return Base(receipt.bundle, "receipt", held, frozenset())
    if not all(path.is_dir() for path in paths):
        raise InputError(
            "the base is neither a bundle nor a receipt",
            where=", ".join(map(str, paths)),
            hint="use --since with the folder of a bundle, or with a receipt of `bundle push`",
        )
    source = open_source(paths)
    entries = source.contents.entries
    # a difference can be a base as well: what it leaves to its own base has arrived with that
    blobs = frozenset(e.sha256 for e in entries if e.path.startswith(f"{layout.BLOBS}/"))
    held = blobs - _hex(manifests(source))
    return Base(source.identity, "bundle", held, frozenset((e.path, e.sha256) for e in entries))


def _hex(digests: Iterable[str]) -> frozenset[str]:
    return frozenset(digest.partition(":")[2] for digest in digests)
