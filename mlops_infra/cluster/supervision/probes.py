"""Short looks at whether something answers: what a process waits for before it is started.

`unix:PATH` and `tcp:HOST:PORT` connect; `http://…` and `https://…` must answer 200 (the
certificate is checked against `ca`). Only the standard library; runs inside the supervisor.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 0.5
"""Seconds for one look; the supervisor looks again."""


def passes(probe: str, *, ca: Path, root: Path | None = None) -> bool:
    """Whether `probe` succeeds right now; `root` is put before paths of sockets."""
    kind, _, rest = probe.partition(":")
    try:
        if kind == "unix":
            return _connects_to(Path(f"{root or ''}{rest}"))
        if kind == "tcp":
            host, _, port = rest.rpartition(":")
            return _connects(socket.AF_INET, (host, int(port)))
        return _answers(probe, ca)
    except (OSError, http.client.HTTPException):
        return False


def _connects_to(path: Path) -> bool:
    # a socket's path may have 107 bytes only: name it through its open folder
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        return _connects(socket.AF_UNIX, f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as client:
        client.settimeout(PATIENCE)
        client.connect(address)
    return True


def _answers(url: str, ca: Path) -> bool:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    finally:
        connection.close()
