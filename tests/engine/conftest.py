"""The real API server and the real engine; both are skipped by name where a binary is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.control_plane import BINARIES, ControlPlane, find_binary

if TYPE_CHECKING:
    from tests.engine.stacks import Stack


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    missing = [name for name in BINARIES if find_binary(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on this machine: mlops-infra toolchain install")
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()


@pytest.fixture
def namespace(api_server: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    name = "t-" + request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:50]
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name.rstrip("-")}}
    api_server.request("POST", "/api/v1/namespaces", body)
    yield name.rstrip("-")
    api_server.request("DELETE", f"/api/v1/namespaces/{name.rstrip('-')}")


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
