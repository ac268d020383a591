"""What a call to an API server may end with."""

from __future__ import annotations

from mlops_infra.errors import OperationFailed


class ApiError(OperationFailed):
    """The API server refuses, or something that it calls fails.

    `status` is the HTTP status, `reason` Kubernetes' word such as `Conflict`.
    """

    def __init__(self, status: int, reason: str, message: str, where: str) -> None:
        super().__init__(f"the cluster refuses: {message}", where=where)
        self.status = status
        self.reason = reason
        self.message = message


class UnreachableError(OperationFailed):
    """No connection to the API server, or no answer in time."""
