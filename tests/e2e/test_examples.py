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


@pytest.fixture(params=["onprem-dev", "onprem-prod"])
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("the footprint of other users' processes needs root")
    from mlops_infra.cluster import footprint

    found = Platform(tmp_path, request.param)
    found.env["SITE_SECRET"] = "a-secret-of-the-site"
    found.configure(**_changed(request.param))
    before = footprint.snapshot([found.data])
    yield found
    found.run("down", "-s", found.stack, "--purge")
    assert left_behind(before, found) == []


def test_up_again_and_down(example: Platform) -> None:
    up = example.up()
    assert any("simulated" in note for note in up["notes"])
    assert example.up()["counts"] == {}
    assert example.json("status", "-s", example.stack)["problems"] == []
    # the cluster stays: what the platform leaves in it can be seen
    down = example.run("down", "-s", example.stack, "--purge", "--keep-cluster", "--json")
    assert down.returncode == 0, told(down)
    assert _ours(example) == []


def _changed(stack: str) -> dict[str, Any]:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text("utf-8")
    config = yaml.safe_load(text)["config"]
    sizing = config["mlops-infra:cluster"]["sizing"]
    changed: dict[str, Any] = {"cluster": {**SIMULATED, "sizing": sizing}, "network": REGISTRY}
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
