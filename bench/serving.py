"""Measures the model gateway next to the server behind it, both bare processes on loopback.

`python -m bench.serving` prints one JSON document. The model server is the least that speaks the
protocol, so what is measured is the gateway's own time; where a bare MLServer is wanted, its
URL and model are given: `python -m bench.serving http://127.0.0.1:8080 wine`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from mlops_infra.lifecycle.gateway.core.route import PREFIX, Route, Target

REQUESTS, LANES = 3000, 32
COLUMNS = ("alcohol", "ash", "hue", "hour")
_SERVER = """
import sys
BODY = b'{"model_name":"m","outputs":[{"name":"y","shape":[1],"datatype":"INT64","data":[1]}]}'
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
import uvicorn
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off")
"""
_GATEWAY = """
import json, sys
from pathlib import Path
from mlops_infra.lifecycle.gateway import server
from mlops_infra.lifecycle.gateway.core.settings import Settings
class Held:
    def __init__(self, *_):
        self.routes = json.loads(sys.argv[2])
    def get_many(self, keys):
        return [self.routes.get(key, "1") for key in keys]
    def keys(self, pattern):
        return list(self.routes)
server.ValkeyStore = Held
server.serve(Settings("127.0.0.1", int(sys.argv[1]), Path(sys.argv[3]), log=False))
"""


def request() -> bytes:
    """One row of four columns."""
    inputs = [
        {"name": name, "shape": [1], "datatype": "FP64", "data": [float(index)]}
        for index, name in enumerate(COLUMNS)
    ]
    return json.dumps({"inputs": inputs}).encode()


def measure(url: str | None = None, model: str = "m") -> dict[str, float]:
    """Latency one by one and throughput in parallel, bare and through the gateway on one core."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "demo").write_text("token", encoding="utf-8")
        own, port = free_port(), free_port()
        target = url or f"http://127.0.0.1:{own}"
        inputs = tuple({"name": name, "type": "double", "required": True} for name in COLUMNS)
        route = Route(
            "demo", model, Target("1", target, "bench", model, inputs, {"hour": {"max": 23}})
        )
        routes = json.dumps({f"{PREFIX}demo/{model}": route.to_json()})
        with (
            _running([_SERVER, str(own)]),
            _running([_GATEWAY, str(port), routes, folder], core=-1),
        ):
            there = urlsplit(target)
            _until(there.port or 80)
            _until(port)
            bare = (there.hostname or "", there.port or 80, f"/v2/models/{model}/infer")
            through = ("127.0.0.1", port, f"/demo/v2/models/{model}/infer")
            found: dict[str, float] = {}
            for name, place in (("bare", bare), ("gateway", through)):
                alone = asyncio.run(_load(place, 1))
                found[f"{name}_p50_ms"] = alone[len(alone) // 2] * 1000
                found[f"{name}_p99_ms"] = alone[len(alone) * 99 // 100] * 1000
                started = time.perf_counter()
                many = asyncio.run(_load(place, LANES))
                found[f"{name}_per_second"] = len(many) / (time.perf_counter() - started)
    found["overhead_p50_ms"] = found["gateway_p50_ms"] - found["bare_p50_ms"]
    found["overhead_p99_ms"] = found["gateway_p99_ms"] - found["bare_p99_ms"]
    return found


async def _load(place: tuple[str, int, str], lanes: int) -> list[float]:
    """Seconds of each answer, sorted; fails on the first that is not 200."""
    host, port, path = place
    body = request()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer token\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()

    async def lane(count: int) -> list[float]:
        reader, writer = await asyncio.open_connection(host, port)
        taken = []
        for _ in range(count):
            started = time.perf_counter()
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().split(b"content-length:")[1].split(b"\r\n")[0]
            content = await reader.readexactly(int(length))
            taken.append(time.perf_counter() - started)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(content.decode())
        writer.close()
        return taken

    await lane(100)
    found = await asyncio.gather(*(lane(REQUESTS // lanes) for _ in range(lanes)))
    return sorted(seconds for each in found for seconds in each)


@contextmanager
def _running(arguments: list[str], core: int | None = None) -> Iterator[None]:
    cores = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen([sys.executable, "-c", *arguments])
    if core is not None:
        os.sched_setaffinity(process.pid, {cores[core]})
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until(port: int) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def shown(found: Mapping[str, float]) -> str:
    """The figures as JSON."""
    return json.dumps({name: round(value, 3) for name, value in found.items()}, indent=2)


if __name__ == "__main__":
    print(shown(measure(*sys.argv[1:3])))
