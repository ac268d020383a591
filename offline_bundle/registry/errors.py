"""What can go wrong between us and a registry."""

from __future__ import annotations

from mlops_infra.transport import HttpError


class RegistryError(HttpError):
    """The registry said no, or nothing that makes sense."""


class DigestMismatch(RegistryError):
    """The bytes are not those that the digest names; they were not stored."""
