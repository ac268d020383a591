"""Splits a bundle over several media, and reads one from a folder, from volumes, or from both."""

from offline_bundle.volumes.source import Piece, Source, open_source
from offline_bundle.volumes.split import split

__all__ = ["Piece", "Source", "open_source", "split"]
