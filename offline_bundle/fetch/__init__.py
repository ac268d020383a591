"""Brings blobs from registries into a bundle: one scheduler, resumed after any interruption."""

from offline_bundle.fetch.engine import Fetched, fetch
from offline_bundle.fetch.storing import BlobStore, hash_file

__all__ = ["BlobStore", "Fetched", "fetch", "hash_file"]
