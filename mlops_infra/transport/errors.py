"""What can go wrong between this program and a server that it asks over HTTP."""

from __future__ import annotations

import http.client

from mlops_infra.errors import OperationFailed


class HttpError(OperationFailed):
    """The server refused, or answered something that cannot be used.

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


TROUBLE = (HttpError, OSError, http.client.HTTPException)
"""Everything that a request raises: a refusal, or a connection that failed or was lost."""
