"""Runs the endpoint's server until SageMaker asks it to stop."""

from __future__ import annotations

import logging
from pathlib import Path

from mlops_infra.lifecycle.endpoint.app import Endpoint, limits
from mlops_infra.lifecycle.endpoint.artefact import load

GRACE_SECONDS = 25
"""SageMaker kills 30 seconds after SIGTERM."""
_log = logging.getLogger(__name__)


def serve(folder: Path, host: str, port: int) -> None:
    """Load the model, answer until SIGTERM or SIGINT, finish the requests under way.

    Raises:
        InputError: there is no model, or the environment holds a wrong number.
    """
    import uvicorn

    artefact = load(folder)
    names = ", ".join(field.name for field in artefact.fields) or "whatever it is sent"
    _log.info("model %s of %s takes %s", artefact.name, folder, names)
    uvicorn.run(
        Endpoint(artefact, limits()).asgi(),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
        lifespan="off",
        ws="none",
    )
