"""Tunnels into a cluster: a loopback port, or a socket, that leads to something inside."""

from __future__ import annotations

import queue
import re
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.failures import ApiError, UnreachableError

FORWARD_SECONDS = 20.0
"""How long kubectl may take to open a tunnel."""

_READY = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")
_KEPT_LINES = 5


@contextmanager
def forwarded_port(
    kubectl: Sequence[str],
    namespace: str,
    target: str,
    port: int,
    *,
    seconds: float = FORWARD_SECONDS,
) -> Iterator[int]:
    """A loopback port that leads to `target` as long as the block runs.

    Args:
        kubectl: program and arguments that reach the cluster.
        namespace: where the target is.
        target: for example `svc/postgresql`.
        port: the target's port.
        seconds: how long kubectl may take.

    Raises:
        OperationFailed: kubectl could not open the tunnel in time.
    """
    words = [
        *kubectl,
        "-n",
        namespace,
        "port-forward",
        "--address",
        "127.0.0.1",
        target,
        f":{port}",
    ]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield _local_port(lines, f"{target} in {namespace}", seconds)
        finally:
            process.terminate()
            reader.join()


def pod_socket(
    cluster: Cluster, namespace: str, pod: str, port: int, *, seconds: float = FORWARD_SECONDS
) -> socket.socket:
    """A connection to a port of a Pod through the API server; needs no kubectl.

    `seconds` is the longest silence, while it is opened and of the connection afterwards.

    Raises:
        ApiError: the API server refuses.
        UnreachableError: it does not answer in time.
    """
    from kubernetes import client
    from kubernetes.stream import portforward

    where = f"port {port} of Pod {namespace}/{pod}"
    core = client.CoreV1Api(cluster.api)
    opened: queue.Queue[Any] = queue.Queue()

    def connect() -> None:
        try:
            method = core.connect_get_namespaced_pod_portforward
            opened.put(portforward(method, pod, namespace, ports=str(port)))
        except client.ApiException as error:
            opened.put(ApiError(int(error.status or 0), "", str(error.reason), where))
        except Exception as error:  # noqa: BLE001 - else the caller waits and never hears why
            opened.put(UnreachableError(f"no tunnel: {error!r}", where=where))

    # the library sets no limit to the opening of a websocket
    threading.Thread(target=connect, daemon=True).start()
    try:
        answer = opened.get(timeout=seconds)
    except queue.Empty:
        raise UnreachableError(
            f"no tunnel within {seconds:.0f} s", where=where, hint="kubectl get nodes"
        ) from None
    if isinstance(answer, ApiError | UnreachableError):
        raise answer
    found: socket.socket = answer.socket(port)
    found.settimeout(seconds)
    return found


def _local_port(lines: queue.Queue[str | None], target: str, seconds: float) -> int:
    """The port that kubectl names."""
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line is None:
            break
        if (match := _READY.match(line)) is not None:
            return int(match[1])
        said.append(line.strip())
    raise OperationFailed(
        f"kubectl could not forward a port to {target}: {' '.join(said) or 'no answer'}",
        where=target,
        hint="mlops-infra status -s STACK shows its Pod",
    )


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Read to the end: kubectl would stand still at a full pipe."""
    try:
        for line in process.stdout or ():
            # what comes after the port is about single connections: read, and let go
            if lines.qsize() < _KEPT_LINES or _READY.match(line):
                lines.put(line)
    finally:
        lines.put(None)
