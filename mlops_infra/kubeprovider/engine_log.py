"""Messages to the Pulumi engine, free of every secret that this process has met."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import grpc

from mlops_infra.kubeprovider import protos
from mlops_infra.kubeprovider.secrecy import Redactor

_SEND_SECONDS = 5.0


class EngineLog:
    """The engine's log service."""

    def __init__(self, address: str, redactor: Redactor) -> None:
        self._stub = protos.engine_grpc.EngineStub(grpc.insecure_channel(address))
        self._redactor = redactor
        self._last: dict[str, str] = {}
        self._lock = threading.Lock()

    def info(self, message: str, urn: str = "") -> None:
        """A line that stays in the output of the run."""
        self._send("INFO", message, urn)

    def warning(self, message: str, urn: str = "") -> None:
        """A warning that stays in the output of the run."""
        self._send("WARNING", message, urn)

    def progress(self, urn: str) -> Callable[[str], None]:
        """Give a function that shows what a resource waits for, each thing once."""

        def report(message: str) -> None:
            with self._lock:
                if self._last.get(urn) == message:
                    return
                self._last[urn] = message
            self._send("INFO", message, urn, ephemeral=True)

        return report

    def _send(self, severity: str, message: str, urn: str, *, ephemeral: bool = False) -> None:
        request = protos.engine.LogRequest(
            severity=protos.engine.LogSeverity.Value(severity),
            message=self._redactor.clean(message),
            urn=urn,
            ephemeral=ephemeral,
        )
        if ephemeral:
            # progress is worth no waiting
            self._stub.Log.future(request, timeout=_SEND_SECONDS)
            return
        try:
            self._stub.Log(request, timeout=_SEND_SECONDS)
        except grpc.RpcError as error:
            # the engine is going or gone: there is nobody left to tell but its own log
            sys.stderr.write(f"the engine took no message: {error.code()}\n")
