"""A component that runs an image of a registry among components that were built here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import images
from mlops_infra.catalog import load_catalog
from mlops_infra.progress import quiet
from tests.e2e.platform import Platform, cluster_client
from tests.hostile import Script, serving


@pytest.fixture
def mirror(shipped: Platform, tmp_path: Path) -> Iterator[str]:
    """A mirror of all registries that has one image: ours of Valkey, under upstream's name."""
    built = images.build("valkey", quiet)
    blobs = {f"sha256:{each.name}": each for each in (built.layout / "blobs/sha256").iterdir()}
    manifest = blobs[built.digest].read_bytes()
    parts = json.loads(manifest)
    script = Script(
        {p["digest"]: blobs[p["digest"]].read_bytes() for p in (parts["config"], *parts["layers"])},
        dict.fromkeys((built.digest, _upstream().rpartition(":")[2]), manifest),
    )
    with serving(script) as host:
        file = tmp_path / "nodes" / "_default" / "hosts.toml"
        file.parent.mkdir(parents=True)
        file.write_text(f'server = "http://{host}"\n')
        shipped.env["MLOPS_INFRA_REGISTRIES"] = str(file.parent.parent)
        yield host
        del shipped.env["MLOPS_INFRA_REGISTRIES"]


def _upstream() -> str:
    (image,) = load_catalog()["valkey"].images
    assert image.upstream
    return image.upstream


def test_it_is_pulled_through_this_machine(shipped: Platform, mirror: str) -> None:
    from kubernetes.client import CoreV1Api

    shipped.configure(network={"images": {"components": {"valkey": "upstream"}}})
    up = shipped.up()
    told = {each["component"]: (each["pods"], each["why"]) for each in up["pods"]}
    assert told["valkey"] == ("real", f"{mirror} has it")
    assert told["mlflow"] == ("real", "built here")
    (pod,) = (
        CoreV1Api(cluster_client(shipped))
        .list_namespaced_pod("mlops-stores", label_selector="mlops-infra.dev/component=valkey")
        .items
    )
    assert {each.image for each in pod.spec.containers} == {_upstream()}
    assert pod.status.container_statuses[0].ready
    status = shipped.json("status", "-s", shipped.stack)
    assert status["problems"] == []
    (valkey,) = (each for each in status["components"] if each["name"] == "valkey")
    assert (valkey["state"], valkey["why"]) == ("ready", f"{mirror} has it")
