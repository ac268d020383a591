"""What happens at the end of every run in a cluster, also of a failed one."""

from __future__ import annotations

import json
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.progress import Sink, step

STATUSES = ("Succeeded", "Failed", "Error")


def finish(
    *,
    pipeline: str,
    run: str,
    status: str,
    registration: str | None,
    place: str,
    around: Environment,
    sink: Sink,
) -> dict[str, Any]:
    """Write how the run ended beside its results, and onto its tracking run.

    Args:
        pipeline: its name.
        run: id of the run.
        status: as the engine tells it.
        registration: place of what `register` has written, where the pipeline has that step.
        place: where to write.
        around: the platform.
        sink: progress.

    Raises:
        InputError: no such status.
        OperationFailed: a service does not answer.
    """
    if status not in STATUSES:
        raise InputError(f"'{status}' is not a final status", hint=f"it is {', '.join(STATUSES)}")
    with step(sink, f"{pipeline}: finish") as shown:
        made: dict[str, Any] = {}
        if registration is not None and storage.exists(registration, around):
            made = json.loads(storage.read(registration, around))
            _tell_tracking(made, status, around)
        told = {"pipeline": pipeline, "run": run, "status": status, "registration": made or None}
        storage.write(place, json.dumps(told, sort_keys=True).encode(), around)
        shown.end("done", f"{run} {status}")
    return told


def _tell_tracking(made: dict[str, Any], status: str, around: Environment) -> None:
    """A run whose later steps failed must not look finished."""
    from mlops_infra.lifecycle.registry import run_status

    run_status.close(
        around.need_tracking(),
        around.tracking_login,
        str(made["run_id"]),
        good=status == "Succeeded",
        status=status,
    )
