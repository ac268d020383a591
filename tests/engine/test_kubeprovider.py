"""The stand-in provider under the real engine against a real API server."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Service

from tests.engine.control_plane import ControlPlane
from tests.engine.stacks import Stack

CANARY = "canary-7Qx2-vRp9-hidden"


def deployment(name: str, namespace: str, image: str, opts: ResourceOptions, **extra: Any) -> Any:
    labels = {"app": name}
    return Deployment(
        name,
        metadata={"name": name, "namespace": namespace},
        spec={
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": image, **extra}]},
            },
        },
        opts=opts,
    )


def changes(result: Any) -> dict[str, int]:
    summary = getattr(result, "change_summary", None) or result.summary.resource_changes
    return {str(getattr(k, "value", k)): n for k, n in summary.items() if "same" not in str(k)}


def test_objects_are_created_once_updated_replaced_and_deleted(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    text, image = "one", "good/app:1"

    def program(opts: ResourceOptions) -> None:
        meta = {"name": "settings", "namespace": namespace}
        config = ConfigMap("settings", metadata=meta, data={"text": text}, opts=opts)
        web = deployment("web", namespace, image, opts)
        ports = [{"port": 80}]
        Service(
            "web",
            metadata={"name": "web", "namespace": namespace},
            spec={"selector": {"app": "web"}, "ports": ports},
            opts=opts,
        )
        pulumi.export("uid", config.metadata["uid"])
        pulumi.export("replicas", web.status.apply(lambda status: status.ready_replicas))

    stack.program = program
    first = stack.up()
    assert "stand-in Kubernetes provider" in stack.output()
    assert first.outputs["replicas"].value == 1
    assert changes(stack.preview()) == {}
    assert changes(stack.up()) == {}

    image = "good/app:2"
    assert changes(stack.preview()) == {"update": 1}
    assert changes(stack.up()) == {"update": 1}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    containers = api_server.request("GET", path)["spec"]["template"]["spec"]["containers"]
    assert containers[0]["image"] == "good/app:2"

    text = "two"
    replaced = stack.up()
    assert changes(replaced) == {"replace": 1} or "replace" in changes(replaced)
    assert replaced.outputs["uid"].value != first.outputs["uid"].value

    assert changes(stack.refresh()) == {}
    stack.destroy()
    assert api_server.request("GET", path) is None
    assert [r["type"] for r in stack.resources()] == []
