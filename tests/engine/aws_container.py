"""The program of an endpoint's container, as a process of its own on a free port of loopback."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 120


@dataclass
class Container:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, body: str, content: str = "application/json", accept: str = "") -> Any:
        headers = {"Content-Type": content} | ({"Accept": accept} if accept else {})
        status, answer = self.send("POST", "/invocations", body.encode(), headers)
        return status, json.loads(answer) if not accept else answer

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def ready(self) -> None:
        ends = time.monotonic() + _SECONDS
        while time.monotonic() < ends:
            assert self.process.poll() is None, self.log.read_text()
            try:
                status, _ = self.send("GET", "/ping")
            except OSError:
                time.sleep(0.1)
                continue
            assert status == 200
            return
        raise AssertionError("it did not answer")


@contextmanager
def started(model: Path, log: Path) -> Iterator[Container]:
    """Started as SageMaker does; not waited for."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("mlops-infra")), "serve", "--model", str(model)]
    environment = {**os.environ, "SAGEMAKER_BIND_TO_PORT": str(port)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1"], stdout=output, stderr=output, env=environment
        )
    try:
        yield Container(port, process, log)
    finally:
        process.kill()
        process.wait(20)
