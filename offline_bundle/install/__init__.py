"""Lays a verified bundle down on a machine of the closed network, and takes it away again."""

from offline_bundle.install.installing import Installed, Wanted, install
from offline_bundle.install.removing import remove

__all__ = ["Installed", "Wanted", "install", "remove"]
