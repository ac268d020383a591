"""A gateway in this process: real but for its model servers, its store and its database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from mlops_infra.lifecycle.gateway.core.backend import Backends
from mlops_infra.lifecycle.gateway.core.gateway import Gateway
from mlops_infra.lifecycle.gateway.core.route import REVISION, Route, Target
from mlops_infra.lifecycle.gateway.core.settings import Settings
from mlops_infra.lifecycle.gateway.grpc.messages import messages
from mlops_infra.lifecycle.gateway.grpc.service import GrpcService
from mlops_infra.lifecycle.gateway.http.app import HttpApp
from tests.unit.lifecycle.serving.fakes import FakeStore

INPUTS = (
    {"name": "hour", "type": "long", "required": True},
    {"name": "load", "type": "double", "required": True},
    {"name": "kind", "type": "string", "required": True},
)
DATATYPES = {"hour": "INT64", "load": "FP64", "kind": "BYTES"}
RANGES = {"hour": {"min": 0, "max": 23}}
PATH = "/demo/v2/models/wine/infer"
BODY_BYTES = 64 << 10


def request(rows: int = 1, **more: Any) -> dict[str, Any]:
    """A request that the model answers."""
    values: dict[str, list[Any]] = {"hour": [7], "load": [1.5], "kind": ["a"]}
    inputs = [
        {"name": name, "shape": [rows], "datatype": DATATYPES[name], "data": data * rows}
        for name, data in values.items()
    ]
    return {"inputs": inputs, **more}


def target(version: str) -> Target:
    name = f"wine-{version}"
    return Target(version, f"http://{name}", name, "wine", INPUTS, RANGES)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body, parse_constant=_no_constant)


class FakeModels:
    """Model servers that fail, as real ones do, with all that is not exactly as they want it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.keeps = True
        self.failing: set[str] = set()
        self.answers: dict[str, tuple[int, bytes]] = {}

    async def once(self, url: str, body: bytes) -> tuple[int, bytes]:
        server = url.removeprefix("http://").partition("/")[0]
        if self.keeps:
            self.asked.append((server, body))
        if server in self.failing:
            return 500, b'{"error":"this model is broken"}'
        if server in self.answers:
            return self.answers[server]
        try:
            rows = _rows(body)
        except Exception as error:  # noqa: BLE001 - a model server's own way
            return 500, json.dumps({"error": repr(error)}).encode()
        y = {"name": "y", "datatype": "FP64", "shape": [rows], "data": [1.5] * rows}
        z = {"name": "z", "datatype": "BYTES", "shape": [rows, 1], "data": ["a"] * rows}
        return 200, json.dumps({"model_name": "m", "outputs": [y, z]}).encode()


def _rows(body: bytes) -> int:
    read = json.loads(body.decode(), parse_constant=_no_constant)
    json.dumps(read, ensure_ascii=False).encode()
    read.get("id", "").encode("ascii")
    for texts in (
        read.get("parameters") or {},
        *(i.get("parameters") or {} for i in read["inputs"]),
    ):
        assert "binary_data_output" not in texts
        assert all(each.isprintable() for each in texts)
    assert {each["name"] for each in read["inputs"]} == set(DATATYPES)
    for each in read["inputs"]:
        while isinstance(each["data"][0], list):  # as NumPy reads nested lists of one form
            assert len(set(map(len, each["data"]))) == 1
            each["data"] = [inner for outer in each["data"] for inner in outer]
        assert (each["datatype"] == "BYTES") is (each["name"] == "kind")
        assert len(each["data"]) == each["shape"][0] > 0
        kinds: tuple[type, ...] = {"hour": (int,), "load": (int, float), "kind": (str,)}[
            each["name"]
        ]
        assert all(type(value) in kinds for value in each["data"])
        if each["name"] != "kind":
            assert all(
                -(2**63) <= value < 2**63 or each["name"] == "load" for value in each["data"]
            )
            assert all(abs(float(value)) < float("inf") for value in each["data"])
    return int(read["inputs"][0]["shape"][0])


class FakeContext:
    """A call of gRPC."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.initial: dict[str, str] = {}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    async def send_initial_metadata(self, metadata: Any) -> None:
        self.initial = dict(metadata)

    async def abort(self, code: grpc.StatusCode, details: str, _trailing: Any = ()) -> None:
        self.code, self.details = code, details
        raise grpc.aio.AbortError


class InProcess:
    """One gateway and the way to ask it."""

    def __init__(self, gateway: Gateway, store: FakeStore, models: FakeModels) -> None:
        self.gateway, self.store, self.models = gateway, store, models
        self.grpc = GrpcService(gateway)
        self._app = HttpApp(gateway).asgi(_no_lifespan)

    def serve(self, **more: Any) -> None:
        route = Route("demo", "wine", target("1"), **more)
        self.store.put({route.key: route.to_json()}, count=REVISION)
        self.gateway.table.refresh()

    async def ask(
        self,
        body: bytes | Mapping[str, Any] | None = None,
        path: str = PATH,
        *,
        method: str | None = None,
        token: str | None = "secret",  # noqa: S107
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask by HTTP; a GET without a body."""
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        held = {"content-length": str(len(content or b"")), **(headers or {})}
        if token:
            held["authorization"] = f"Bearer {token}"
        plain, _, query = path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method or ("GET" if content is None else "POST"),
            "path": plain,
            "raw_path": plain.encode(errors="replace"),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "headers": [
                (name.lower().encode(), value.encode(errors="replace"))
                for name, value in held.items()
            ],
            "server": ("gateway", 80),
            "client": ("client", 1),
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content or b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(m.get("body", b"") for m in sent[1:]))

    async def call(
        self,
        method: str,
        body: bytes,
        *more: tuple[str, str],
        token: str = "secret",  # noqa: S107
    ) -> tuple[Any, FakeContext]:
        """Ask by gRPC; the answer, or None with the code in the context."""
        mine = (("x-tenant", "demo"), ("authorization", f"Bearer {token}"), *more)
        context = FakeContext(mine)
        try:
            return await self.grpc.handlers[method](body, context), context
        except grpc.aio.AbortError:
            return None, context

    def figure(self, name: str) -> float:
        """A metric's value, whatever its labels."""
        lines = self.gateway.figures().decode().splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith(f"mlops_infra_gateway_{name}")
        )


def typed(**more: Any) -> Any:
    """A gRPC request that the model answers."""
    asked = messages()["ModelInferRequest"](model_name="wine", **more)
    asked.inputs.add(name="hour", datatype="INT64", shape=[1]).contents.int64_contents.append(7)
    asked.inputs.add(name="load", datatype="FP64", shape=[1]).contents.fp64_contents.append(1.5)
    asked.inputs.add(name="kind", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"a")
    return asked


def in_process(folder: Path, monkeypatch: pytest.MonkeyPatch, *, log: bool = False) -> InProcess:
    """A gateway that serves version 1 of the model `wine` to the tenant `demo`."""
    (folder / "demo").write_text("secret")
    models, store = FakeModels(), FakeStore()

    async def once(_self: Backends, url: str, body: bytes) -> tuple[int, bytes]:
        return await models.once(url, body)

    monkeypatch.setattr(Backends, "_once", once)
    settings = Settings(tokens=folder, log=log, body_bytes=BODY_BYTES, grace=2)
    made = InProcess(Gateway(settings, store), store, models)
    made.serve()
    return made


@asynccontextmanager
async def _no_lifespan(_app: Any) -> AsyncIterator[None]:
    yield


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)
