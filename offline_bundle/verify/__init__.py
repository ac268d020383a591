"""Says whether a bundle is whole, unchanged and signed; opens no socket."""

from offline_bundle.verify.closure import NotClosed
from offline_bundle.verify.core import BundleDamaged, Report, verify

__all__ = ["BundleDamaged", "NotClosed", "Report", "verify"]
