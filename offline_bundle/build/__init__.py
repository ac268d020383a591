"""From a lock to a sealed bundle; killed at any moment, the next build goes on from there."""

from offline_bundle.build.building import Built, build
from offline_bundle.build.writer import BundleLocked

__all__ = ["Built", "BundleLocked", "build"]
