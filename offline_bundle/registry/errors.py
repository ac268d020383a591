"""What can go wrong between us and a registry."""

from __future__ import annotations

from mlops_infra.transport import HttpError

LOGIN = "docker login HOST; or podman login HOST, with REGISTRY_AUTH_FILE=FILE for both programs"
"""Whoever has neither writes `auths` into ~/.docker/config.json; see `credentials`."""


class RegistryError(HttpError):
    """The registry said no, or nothing that makes sense."""


class DigestMismatch(RegistryError):
    """The bytes are not those that the digest names; they were not stored."""
