"""Objects that several tests deploy."""

from __future__ import annotations

from typing import Any

from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment


def deployment(
    name: str, namespace: str, image: str, opts: ResourceOptions, **pod: Any
) -> Deployment:
    labels = {"app": name}
    container = {"name": "main", "image": image, **pod.pop("container", {})}
    return Deployment(
        name,
        metadata={"name": name, "namespace": namespace},
        spec={
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], **pod},
            },
        },
        opts=opts,
    )
