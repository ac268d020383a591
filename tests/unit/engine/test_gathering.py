"""What is made before the program runs, with stand-ins for compilers and cluster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlops_infra import images, places, toolchain
from mlops_infra.engine import gathering
from mlops_infra.engine.prepare import Asked, asked
from mlops_infra.errors import MissingError
from mlops_infra.progress import Sink, quiet


@pytest.fixture
def want(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path))
    monkeypatch.setattr(gathering, "can_be_real", lambda: True)
    return asked("sandbox", places.project() / "stacks" / "Pulumi.sandbox.yaml")


def test_the_first_failure_ends_the_queues(want: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def build(name: str, _: Sink) -> None:
        begun.append(name)
        time.sleep(0.2)

    def ensure(*_: object) -> None:
        raise MissingError("no compiler")

    monkeypatch.setattr(images, "build", build)
    monkeypatch.setattr(toolchain, "ensure", ensure)
    with pytest.raises(MissingError, match="no compiler"):
        gathering.gather(want, quiet)
    assert len(begun) <= 2  # one in each queue was under way


def test_a_cluster_starts_before_the_last_image_is_there(
    want: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    class Cluster:
        simulated = False
        node_address = "10.0.0.1"

        def __init__(self, _: str) -> None:
            pass

        def start(self, *_: object, **__: object) -> None:
            told.append("cluster")

        def load(self, found: list[str], _: Sink) -> None:
            told.extend(name for name in found if name not in told)

    def build(name: str, _: Sink) -> str:
        time.sleep(0.5 if name == "alertmanager" else 0)
        return name

    monkeypatch.setattr(images, "build", build)
    monkeypatch.setattr(toolchain, "ensure", lambda *_: {})
    monkeypatch.setattr(gathering.tools, "ready", lambda _: "tools")
    monkeypatch.setattr(gathering, "EmbeddedCluster", Cluster)
    assert gathering.gather(want, quiet) == ("tools", "10.0.0.1")
    assert told[0] == "cluster"
    assert told[-1] == "alertmanager"
    assert set(told[1:]) == {image.recipe for image in want.plan.images if image.recipe}


def test_without_root_no_image_is_built_for_pods_that_are_simulated(
    want: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[str] = []

    class Cluster:
        node_address = "127.0.0.1"

        def __init__(self, _: str) -> None:
            pass

        def start(self, *_: object, **__: object) -> None:
            pass

    monkeypatch.setattr(gathering, "can_be_real", lambda: False)
    monkeypatch.setattr(images, "build", None)
    monkeypatch.setattr(toolchain, "ensure", lambda names, _: asked_for.extend(names))
    monkeypatch.setattr(gathering.tools, "ready", lambda _: "tools")
    monkeypatch.setattr(gathering, "EmbeddedCluster", Cluster)
    assert gathering.gather(want, quiet) == ("tools", "127.0.0.1")
    assert "kubelet" not in asked_for
