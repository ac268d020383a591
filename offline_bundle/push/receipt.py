"""What a registry has got, signed by whoever brought it: the base of the next difference.

Carried back, it tells the other side what really arrived, not what was once sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import files
from mlops_infra.errors import FoundError, InputError
from offline_bundle.sealing import keys, signature

FORMAT = "mlops-infra.receipt/1"
_KEYS = {"format", "bundle", "registry", "held", "images"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """One name that the registry knows now."""

    name: str
    """As the bundle has it."""
    repository: str
    """In the registry, without its host."""
    target: str
    """Tag, or digest where there is no tag."""
    digest: str
    """What the target names."""
    manifests: tuple[str, ...]
    """Digests of all manifests below, the index too; what a later prune may remove."""
    subject: str | None = None
    """Digest of what it is a signature or an attestation of; None for everything else."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a push has left behind. Equal pushes give equal receipts: there is no date in it."""

    bundle: str
    """Identity of the bundle."""
    registry: str
    """`HOST[:PORT][/PREFIX]`."""
    held: tuple[str, ...]
    """sha256 (hex) of every file of the bundle that is there, sorted."""
    images: tuple[Pushed, ...]

    def encode(self) -> bytes:
        """The bytes of the file."""
        raw = {
            "format": FORMAT,
            "bundle": self.bundle,
            "registry": self.registry,
            "held": list(self.held),
            "images": [
                {
                    "name": each.name,
                    "repository": each.repository,
                    "target": each.target,
                    "digest": each.digest,
                    "manifests": list(each.manifests),
                    "subject": each.subject,
                }
                for each in self.images
            ],
        }
        return (json.dumps(raw, indent=1) + "\n").encode()


def write(receipt: Receipt, file: Path, *, key: Path | None) -> None:
    """Write a receipt, and `<file>.sig` beside it where `key` is given.

    Raises:
        MissingError, InputError: the key cannot be used.
    """
    content = receipt.encode()
    beside = file.with_name(file.name + ".sig")
    if key is not None:
        files.write(beside, signature.sign(content, keys.read_private(key)))
    else:
        beside.unlink(missing_ok=True)
    files.write(file, content)


def read(file: Path, *, key: Path | None) -> Receipt:
    """Read a receipt, and check its signature where the public key `key` is given.

    Raises:
        InputError: it is no receipt.
        FoundError: it is not signed with that key.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the receipt cannot be read: {error.strerror}", where=str(file)
        ) from error
    if key is not None:
        beside = file.with_name(file.name + ".sig")
        text = beside.read_bytes() if beside.is_file() else b""
        if not signature.is_good(content, text, keys.read_public(key)):
            raise FoundError(
                "the receipt is not signed with this key, or was changed since",
                [file.name],
                where=str(file),
                hint="ask the receiver for another one",
            )
    try:
        raw = json.loads(content)
        if set(raw) != _KEYS or raw["format"] != FORMAT:
            raise InputError(f"not a receipt of the format {FORMAT}", where=str(file))
        images = tuple(
            Pushed(**{**each, "manifests": tuple(each["manifests"])}) for each in raw["images"]
        )
        return Receipt(str(raw["bundle"]), str(raw["registry"]), tuple(raw["held"]), images)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"not a receipt: {error}", where=str(file)) from error
