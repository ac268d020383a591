"""Seals a bundle: one list of every file, and one signature over that list."""

from offline_bundle.sealing.contents import Contents, Entry
from offline_bundle.sealing.seal import Sealed, seal

__all__ = ["Contents", "Entry", "Sealed", "seal"]
