"""`mlops-infra serve`: what SageMaker starts in the container of an endpoint or a batch job."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlops_infra.errors import InputError

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read when the libraries load: requests are answered side by side, each on one processor."""


@click.command()
@click.option(
    "--model",
    "folder",
    default="/opt/ml/model",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of the unpacked model.",
)
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104
@click.option("--port", type=click.IntRange(1, 65535), help="Port (default: SageMaker's, or 8080).")
def command(folder: Path, host: str, port: int | None) -> None:
    """Serve one model; SageMaker calls this in its containers.

    GET /ping, POST /invocations (JSON, JSON lines, CSV) and GET /execution-parameters, until
    SIGTERM. Requests are checked against the model's signature as the on-prem gateway does.
    """
    os.environ.update({name: os.environ.get(name, "1") for name in ONE_THREAD})
    import logging

    from mlops_infra.lifecycle.endpoint.server import serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    serve(folder, host, port or _default_port())


def _default_port() -> int:
    text = os.environ.get("SAGEMAKER_BIND_TO_PORT") or "8080"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InputError(f"SAGEMAKER_BIND_TO_PORT is '{text}'", hint="a port such as 8080")
    return int(text)
