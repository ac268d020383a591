"""Serves a bundle as it lies there: a registry, a package index and plain files, read-only."""

from offline_bundle.serve.opening import opened
from offline_bundle.serve.server import Door, Server, listen_address
from offline_bundle.serve.site import Site

__all__ = ["Door", "Server", "Site", "listen_address", "opened"]
