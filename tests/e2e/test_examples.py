"""The example stacks for big clusters go up and down whole, with simulated Pods, and leave nothing.

Their images come from a registry that only exists in the file: what is real here is the API server,
the admission of every object, the order, the waiting, the second `up` and the teardown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.platform import ROOT, Platform, left_behind, told

pytestmark = pytest.mark.skipif(
    not os.environ.get("MLOPS_INFRA_EXAMPLES"), reason="takes minutes: make examples"
)

SIMULATED = {"embedded": True, "simulated": True}
REGISTRY = {"images": "upstream", "registry": "registry.example:5000"}


WORKFLOWS = ("argoproj.io", "v1alpha1", "tenant-demand", "workflows")
HALF = 120
"""Resources of about 300."""
HELD_BY = "example.com/cleans-up-later"


@pytest.fixture(params=["onprem-dev", "onprem-prod"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    yield from _example(request.param, tmp_path)


@pytest.fixture
def developers(tmp_path: Path) -> Iterator[Platform]:
    """The bigger one: 19 charts, every kind of operator."""
    yield from _example("onprem-dev", tmp_path)


def _example(stack: str, folder: Path) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("the footprint of other users' processes needs root")
    from mlops_infra.cluster.node import footprint

    found = Platform(folder, stack)
    found.env["SITE_SECRET"] = "a-secret-of-the-site"
    found.configure(**_changed(stack))
    before = footprint.snapshot([found.data])
    yield found
    found.run("down", "-s", found.stack, "--purge")
    assert left_behind(before, found) == []


def test_up_again_and_down(example: Platform) -> None:
    up = example.up()
    assert any("simulated" in note for note in up["notes"])
    example.settled()
    assert example.json("status", "-s", example.stack)["problems"] == []
    # the cluster stays: what the platform leaves in it can be seen
    down = example.run("down", "-s", example.stack, "--purge", "--keep-cluster", "--json")
    assert down.returncode == 0, told(down)
    assert _ours(example) == []


def test_killed_half_way_nothing_is_left(developers: Platform) -> None:
    whole = ("--purge", "--keep-cluster")
    developers.kill("Deploying", HALF, "up", "-s", developers.stack)
    down = developers.run("down", "-s", developers.stack, *whole)
    assert down.returncode == 0, told(down)
    assert _ours(developers) == [], "a killed up, then down"

    developers.kill("Deploying", HALF, "up", "-s", developers.stack)
    developers.up()
    developers.kill("Removing the platform", HALF, "down", "-s", developers.stack, *whole)
    down = developers.run("down", "-s", developers.stack, *whole)
    assert down.returncode == 0, told(down)
    assert _ours(developers) == [], "a killed down, then down"

    developers.up()
    workflow = _hanging(developers)
    down = developers.run("down", "-s", developers.stack, *whole)
    assert down.returncode == 3, told(down)
    assert f"Workflow tenant-demand/{workflow}" in down.stderr
    assert HELD_BY in down.stderr
    assert "--remove-blockers" in down.stderr
    assert developers.json("status", "-s", developers.stack)["problems"] == [], "it still stands"
    down = developers.run("down", "-s", developers.stack, *whole, "--remove-blockers")
    assert down.returncode == 0, told(down)
    assert _ours(developers) == [], "a finalizer that nobody would take off, with consent"


def _hanging(example: Platform) -> str:
    """A custom resource whose operator is gone: in this cluster none ever ran."""
    from kubernetes import client

    from tests.e2e.platform import cluster_client

    group, version, namespace, plural = WORKFLOWS
    body = {
        "apiVersion": f"{group}/{version}",
        "kind": "Workflow",
        "metadata": {"name": "held", "finalizers": [HELD_BY]},
        "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]},
    }
    api: Any = client.CustomObjectsApi(cluster_client(example))
    made = api.create_namespaced_custom_object(group, version, namespace, plural, body)
    return str(made["metadata"]["name"])


def _changed(stack: str) -> dict[str, Any]:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text("utf-8")
    config = yaml.safe_load(text)["config"]
    sizing = config["mlops-infra:cluster"]["sizing"]
    login = config["mlops-infra:network"].get("registryLogin")
    network = {**REGISTRY, **({"registryLogin": login} if login else {})}
    changed: dict[str, Any] = {"cluster": {**SIMULATED, "sizing": sizing}, "network": network}
    if secrets := config.get("mlops-infra:secrets"):
        changed["secrets"] = {
            name: {key: {"env": "SITE_SECRET"} for key in keys} for name, keys in secrets.items()
        }
    return changed


def _ours(example: Platform) -> list[str]:
    """Definitions, webhooks and namespaces that carry the label of the stack."""
    from kubernetes import client

    from tests.e2e.platform import cluster_client

    api: Any = cluster_client(example)
    selector = f"mlops-infra.dev/stack={example.stack}"
    admission, core = client.AdmissionregistrationV1Api(api), client.CoreV1Api(api)
    lists = (
        client.ApiextensionsV1Api(api).list_custom_resource_definition,
        admission.list_mutating_webhook_configuration,
        admission.list_validating_webhook_configuration,
        core.list_namespace,
        core.list_persistent_volume,
    )
    return [
        item.metadata.name for listing in lists for item in listing(label_selector=selector).items
    ]
