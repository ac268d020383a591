"""Offline bundles for closed networks; built by a later issue, see docs/decisions."""
