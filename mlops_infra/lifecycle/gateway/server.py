"""Runs the gateway until it is asked to stop."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.settings import Settings
from mlops_infra.lifecycle.gateway.grpc.service import GrpcService
from mlops_infra.lifecycle.gateway.http.app import HttpApp
from mlops_infra.lifecycle.services.valkey import ValkeyStore

if TYPE_CHECKING:
    from starlette.applications import Starlette

BACKLOG = 1024
SWITCH_SECONDS = 0.0002
"""The log's thread gives way so soon. Python's own 5 ms would be the latency's 99th percentile."""
STARTUP_FAILED = 3
"""Exit code, as uvicorn's own command has it."""
IDLE_SECONDS = 75
"""Longer than the gateway's clients keep a connection, or they write into a closing one."""


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish those under way and write the log."""
    import uvicorn

    from mlops_infra.lifecycle.gateway.http.bounded import BoundedProtocol

    sys.setswitchinterval(SWITCH_SECONDS)
    gateway = Gateway(settings, ValkeyStore(settings.store, settings.store_password))
    config = uvicorn.Config(
        application(gateway),
        loop="uvloop",
        http=BoundedProtocol,
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=int(settings.grace),
        server_header=False,
        date_header=False,
        lifespan="on",
        ws="none",
    )
    ports = (settings.port, settings.metrics_port)
    sockets = [socket.create_server((settings.host, port), backlog=BACKLOG) for port in ports]
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # of SIGINT, once all is finished
        server.run(sockets)
    if not server.started:
        raise SystemExit(STARTUP_FAILED)


def application(gateway: Gateway) -> Starlette:
    """The HTTP application of a gateway, with gRPC beside it while it runs."""
    settings, grpc = gateway.settings, GrpcService(gateway)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with gateway.running():
            await grpc.start(settings.host, settings.grpc_port)
            try:
                yield
            finally:
                await grpc.stop(settings.stop_seconds)

    return HttpApp(gateway).asgi(lifespan)
