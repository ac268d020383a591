"""Says whether a bundle is whole, unchanged and signed; opens no socket."""

from offline_bundle.verify.core import BundleDamaged, Report, verify

__all__ = ["BundleDamaged", "Report", "verify"]
