"""Upstream's images for the embedded node: which can be had, and the way into the cache.

The node has no way out, so this machine asks and pulls for it, by the same client, scheduler and
checks of digests as a bundle is fetched with.
"""

from offline_bundle.pull.asking import ask
from offline_bundle.pull.mirrors import Mirrors, read_mirrors
from offline_bundle.pull.pulling import pull

__all__ = ["Mirrors", "ask", "pull", "read_mirrors"]
