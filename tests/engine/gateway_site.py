"""A model gateway as its Pod runs it: real servers behind it, real PostgreSQL, real Valkey."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.lifecycle.gateway.client import GatewayClient
from mlops_infra.lifecycle.gateway.core.route import Route, Target
from mlops_infra.lifecycle.promotion.routes import Routing
from mlops_infra.lifecycle.services.valkey import ValkeyStore
from tests.engine import postgres, valkey_server
from tests.engine.valkey_server import Valkey

INPUTS = (
    {"name": "hour", "type": "long", "required": True},
    {"name": "load", "type": "double", "required": True},
    {"name": "word", "type": "string", "required": False},
)
RANGES = {"hour": {"min": 0, "max": 23}}


def request(hour: object = 7, load: float = 1.5, word: str | None = None) -> dict[str, Any]:
    inputs = [
        {"name": "hour", "shape": [1], "datatype": "INT64", "data": [hour]},
        {"name": "load", "shape": [1], "datatype": "FP64", "data": [load]},
    ]
    if word is not None:
        inputs.append({"name": "word", "shape": [1], "datatype": "BYTES", "data": [word]})
    return {"inputs": inputs}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    document: Any
    seconds: float


@dataclass
class Site:
    """All that a gateway stands between."""

    gateway: int
    grpc: int
    metrics: int
    models: dict[str, int]
    database: str
    routing: Routing
    client: GatewayClient
    process: subprocess.Popen[bytes]
    valkey: subprocess.Popen[bytes]

    def ask(self, body: Any = None, **headers: str) -> Answer:
        return post(
            self.gateway,
            "/demo/v2/models/wine/infer",
            request() if body is None else body,
            {
                "Authorization": "Bearer secret",
                **{k.replace("_", "-"): v for k, v in headers.items()},
            },
        )

    def control(self, version: str, **state: object) -> None:
        told = post(self.models[version], "/control", {"fail": False, "delay": 0, **state})
        assert told.status == 200

    def until_under_way(self, version: str, requests: int) -> None:
        """Wait until so many requests wait for the model's answer."""
        until = time.monotonic() + 10
        while post(self.models[version], "/control", {}).document["under_way"] < requests:
            assert time.monotonic() < until, "the requests never reached the model"
            time.sleep(0.02)

    def serve(
        self, share: float | None = None, *, shadow: bool = False, fallback: str | None = None
    ) -> None:
        """Route to champion 1, and to challenger 2 where a share is given."""
        challenger = self.target("2") if share is not None else None
        before = self.target(fallback) if fallback else None
        self.routing.write(
            Route(
                *("demo", "wine", self.target("1"), challenger, share or 0.0, shadow),
                fallback=before,
                timeout=2,
            )
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            told = get(self.gateway, "/demo/v2/models/wine")
            if told.status == 200:
                held, first = told.document["challenger"], told.document["champion"]
                same = (held and (held["share"], held["shadow"])) == (
                    challenger and (share, shadow)
                )
                if same and first["server"] == self.target("1").server:
                    return
            time.sleep(0.05)
        pytest.fail("the gateway does not follow its routes")

    def target(self, version: str) -> Target:
        url = f"http://127.0.0.1:{self.models[version]}"
        return Target(version, url, f"server-{self.models[version]}", "wine", INPUTS, RANGES)

    def rows(self, number: str, wanted: int = 1) -> list[dict[str, Any]]:
        """The log of one prediction; a shadow's row comes after the answer."""
        until = time.monotonic() + 10
        while len(found := self.client.prediction(number)) < wanted and time.monotonic() < until:
            time.sleep(0.05)
        return found


def post(port: int, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
    return _call("POST", port, path, body, headers or {})


def get(port: int, path: str) -> Answer:
    return _call("GET", port, path, None, {"Authorization": "Bearer secret"})


def _call(method: str, port: int, path: str, body: Any, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    started = time.monotonic()
    try:
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        text = response.read()
        held = {key.lower(): value for key, value in response.getheaders()}
        kind = held.get("content-type", "")
        document = json.loads(text) if "json" in kind else text.decode()
        return Answer(response.status, held, document, time.monotonic() - started)
    finally:
        connection.close()


@pytest.fixture(scope="session")
def stores(postgresql: str, valkey: Valkey) -> tuple[str, str, Any]:
    url, process = valkey
    return url, postgres.fresh(postgresql, "gateway"), process


@pytest.fixture
def site(stores: tuple[str, str, Any], tmp_path: Path) -> Iterator[Site]:
    url, database, valkey = stores
    (tmp_path / "demo").write_text("secret")
    models = {"1": free_port(), "2": free_port()}
    port, grpc, metrics = free_port(), free_port(), free_port()
    server = Path(__file__).with_name("model_server.py")
    processes = [
        subprocess.Popen([sys.executable, str(server), str(models[version]), version])
        for version in models
    ]
    environment = {
        "MLOPS_INFRA_GATEWAY_HOST": "127.0.0.1",
        "MLOPS_INFRA_GATEWAY_PORT": str(port),
        "MLOPS_INFRA_GATEWAY_GRPC_PORT": str(grpc),
        "MLOPS_INFRA_GATEWAY_METRICS_PORT": str(metrics),
        "MLOPS_INFRA_GATEWAY_TOKENS": str(tmp_path),
        "MLOPS_INFRA_GATEWAY_STORE": url,
        "MLOPS_INFRA_GATEWAY_DATABASE": database,
        "MLOPS_INFRA_GATEWAY_BODY_BYTES": "4096",
        "VALKEY_PASSWORD": valkey_server.PASSWORD,
    }
    command = [str(Path(sys.executable).with_name("mlops-infra")), "lifecycle", "gateway"]
    gateway = subprocess.Popen(command, env={**os.environ, **environment})
    processes.append(gateway)
    routing = Routing(ValkeyStore(url, valkey_server.PASSWORD))
    client = GatewayClient(f"http://127.0.0.1:{port}", "demo", "secret")
    try:
        for each in (*models.values(), port, grpc):
            _until_listening(each, gateway)
        yield Site(port, grpc, metrics, models, database, routing, client, gateway, valkey)
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


def _until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "the gateway has ended"
            assert time.monotonic() < until
            time.sleep(0.05)
        else:
            return
