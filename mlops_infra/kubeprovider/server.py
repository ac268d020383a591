"""Serving the protocol on a free loopback port until the engine ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc

from mlops_infra.kubeprovider import protos
from mlops_infra.kubeprovider.provider import Provider
from mlops_infra.kubeprovider.service import service

_THREADS = 512
"""A wait holds its thread, and the engine starts as many as the graph allows."""
_MAX_MESSAGE = 400 * 1024 * 1024
"""The engine's own limit (pulumi sdk, `rpcutil`)."""
_PARENT_CHECK_SECONDS = 1.0
_GRACE_SECONDS = 4.0


def serve(arguments: Sequence[str], parent: int) -> int:
    """Serve until the engine ends us or is gone; gives the exit code.

    Args:
        arguments: the engine's address, and flags that mean nothing here.
        parent: id of the engine's process.

    The engine reads the port from the first line of stdout; nothing else may be written there.
    """
    engine = next((text for text in arguments if not text.startswith("-")), None)
    if engine is None:
        sys.stderr.write("this is a plugin that the pulumi engine starts with its address\n")
        return 2
    provider = Provider(engine)
    server = grpc.server(
        ThreadPoolExecutor(_THREADS),
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE),
            ("grpc.max_send_message_length", _MAX_MESSAGE),
        ],
    )
    protos.provider_grpc.add_ResourceProviderServicer_to_server(service(provider), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ended = threading.Event()
    _handle_signals(provider, ended)
    _watch_parent(parent)
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.wait()
    server.stop(grace=_GRACE_SECONDS).wait()
    return 0


def _handle_signals(provider: Provider, ended: threading.Event) -> None:
    """End the waits; calls under way may still tell the engine what they have made.

    SIGINT is how the engine says that it is done with us; without an answer it waits for 5 s.
    """

    def end(_signal: int, _frame: object) -> None:
        provider.stop.cancel()
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)


def _watch_parent(parent: int) -> None:
    """After a `kill -9` of the engine nobody else would end this process."""

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(_PARENT_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
