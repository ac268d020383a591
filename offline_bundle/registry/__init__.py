"""A client of the OCI distribution API on `mlops_infra.transport`."""

from offline_bundle.registry.client import Manifest, Registry, digest_of, require
from offline_bundle.registry.errors import DigestMismatch, RegistryError
from offline_bundle.registry.optional import Notes, optional
from offline_bundle.registry.registries import Registries
from offline_bundle.registry.settings import Host, Settings, load

__all__ = [
    "DigestMismatch",
    "Host",
    "Manifest",
    "Notes",
    "Registries",
    "Registry",
    "RegistryError",
    "Settings",
    "digest_of",
    "load",
    "optional",
    "require",
]
