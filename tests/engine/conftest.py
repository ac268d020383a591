"""The real API server and the real engine; both are skipped by name where a binary is missing."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine import postgres, valkey_server
from tests.engine.control_plane import ControlPlane, control_plane, find_binary
from tests.engine.gateway_site import site, stores  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from tests.engine.stacks import Stack
    from tests.engine.valkey_server import Valkey


_numbers = itertools.count()


@pytest.fixture(autouse=True)
def closed_loops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the event loops that the SDK makes in its threads and leaves behind."""
    made: list[asyncio.AbstractEventLoop] = []
    original = asyncio.new_event_loop

    def recording() -> asyncio.AbstractEventLoop:
        made.append(original())
        return made[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", recording)
    yield
    for loop in made:
        # after a failure the SDK's thread may still be winding up
        ends = time.monotonic() + 5
        while loop.is_running() and time.monotonic() < ends:
            time.sleep(0.05)
        if not loop.is_running():
            loop.close()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("control-plane"))


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """libpq's keywords for the superuser of a PostgreSQL; each test makes databases of its own."""
    with postgres.server(tmp_path_factory.mktemp("postgresql")) as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """URL and process of a Valkey."""
    with valkey_server.server(tmp_path_factory.mktemp("valkey")) as found:
        yield found


@pytest.fixture
def namespace(api_server: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """One of its own: that of a test before may still be on its way out."""
    stem = request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:50]
    name = f"t-{stem}-{next(_numbers)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    api_server.request("POST", "/api/v1/namespaces", body)
    yield name
    api_server.request("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def make_stack(api_server: ControlPlane, tmp_path: Path) -> Callable[..., Stack]:
    if find_binary("pulumi") is None:
        pytest.skip("no pulumi on this machine: mlops-infra toolchain install")
    from tests.engine.stacks import Stack

    def make(name: str = "stack", kubeconfig: str | None = None) -> Stack:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        return Stack(folder, kubeconfig or str(api_server.kubeconfig))

    return make


@pytest.fixture
def stack(make_stack: Callable[..., Stack]) -> Stack:
    return make_stack()
