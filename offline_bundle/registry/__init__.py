"""A client of the OCI distribution API on `http.client`: connections, credentials, manifests."""

from offline_bundle.registry.client import Manifest, Registry, digest_of, require
from offline_bundle.registry.errors import DigestMismatch, RegistryError
from offline_bundle.registry.registries import Registries
from offline_bundle.registry.reply import Reply
from offline_bundle.registry.settings import Host, Settings, load
from offline_bundle.registry.transport import Origin, Pool

__all__ = [
    "DigestMismatch",
    "Host",
    "Manifest",
    "Origin",
    "Pool",
    "Registries",
    "Registry",
    "RegistryError",
    "Reply",
    "Settings",
    "digest_of",
    "load",
    "require",
]
