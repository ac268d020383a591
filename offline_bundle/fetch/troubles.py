"""Turns what ended a transfer into an error that says what to do."""

from __future__ import annotations

import errno

from mlops_infra.errors import MlopsError, OperationFailed
from offline_bundle.fetch.job import Job

_AGAIN = "run it again: completed work is kept"


def explained(error: Exception, job: Job) -> MlopsError:
    """The error for the person who waits; `job` is what it happened to."""
    if isinstance(error, MlopsError):
        if error.where is None:
            error.where = f"{job.image}, {job.digest}"
        if error.hint is None:
            error.hint = _AGAIN
        return error
    where = f"{job.image}: {job.place.host}/{job.place.path}@{job.digest}"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = f"free some space, then {_AGAIN}"
        found = OperationFailed("the disk is full", where=where, hint=hint)
    else:
        told = str(error) or type(error).__name__
        found = OperationFailed(
            f"{job.place.host} cannot be read from: {told}", where=where, hint=_AGAIN
        )
    found.__cause__ = error
    return found
