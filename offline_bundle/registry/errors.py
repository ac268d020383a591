"""What can go wrong between us and a registry."""

from __future__ import annotations

from mlops_infra.errors import OperationFailed


class RegistryError(OperationFailed):
    """The registry said no, or nothing that makes sense.

    `status` is the HTTP status; None where there was no answer at all.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status
        self.retry_after: str | None = None
        """The header `Retry-After`, where there was one."""


class DigestMismatch(RegistryError):
    """The bytes are not those that the digest names; they were not stored."""
