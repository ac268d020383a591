"""What is made before the program runs, with stand-ins for compilers and cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import images, places, toolchain
from mlops_infra.engine import gathering, prepare, upstream_images
from mlops_infra.engine.prepare import Asked, asked
from mlops_infra.errors import MissingError
from mlops_infra.progress import Sink, quiet
from offline_bundle.pull import pulling
from tests.hostile import Script, serving
from tests.registries import incompressible


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


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A registry on loopback in the place of all others."""
    script = Script()
    with serving(script) as host:
        file = tmp_path / "nodes" / "_default" / "hosts.toml"
        file.parent.mkdir(parents=True)
        file.write_text(f'server = "http://{host}"\n')
        monkeypatch.setenv("MLOPS_INFRA_REGISTRIES", str(tmp_path / "nodes"))
        monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        yield script


def two_of_upstream(folder: Path) -> Path:
    file = folder / "Pulumi.up.yaml"
    file.write_text(
        "config:\n  mlops-infra:profile: onprem\n  mlops-infra:environment: x\n"
        "  mlops-infra:cluster: {embedded: true}\n"
        "  mlops-infra:network: {images: {components: {mlflow: upstream, valkey: upstream}}}\n"
    )
    return file


def test_what_registries_have_is_pulled_and_runs(
    registry: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "all_simulated", lambda _: None)
    monkeypatch.setattr(pulling, "target", lambda: "linux/amd64")
    file = two_of_upstream(tmp_path)
    image = registry.image("any", "mlflow/mlflow", [incompressible(2_000, 1)])
    registry.manifests["v3.17.2-full"] = registry.manifests[image.digest]
    want = asked("up", file, ask=True)
    assert not want.plan.component("mlflow").simulated
    assert want.plan.component("valkey").simulated
    (built,) = upstream_images.pull(want.plan, want.config, file, quiet)
    assert built.reference == want.plan.component("mlflow").images[0].reference
    before = len(registry.asked)
    assert asked("up", file, ask=True).plan == want.plan
    assert upstream_images.pull(want.plan, want.config, file, quiet) == [built]
    assert len(registry.asked) == before, "asked and pulled once"


def test_the_sandbox_asks_and_pulls_nothing(
    registry: Script, want: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "all_simulated", lambda _: None)
    assert upstream_images.wanted(asked(want.stack, want.file, ask=True).plan) == []
    assert registry.asked == [], "KServe's other model servers are pulled by hand"


def test_a_command_that_only_reads_asks_nobody(registry: Script, tmp_path: Path) -> None:
    assert asked("up", two_of_upstream(tmp_path)).plan.component("mlflow").simulated
    assert registry.asked == []
