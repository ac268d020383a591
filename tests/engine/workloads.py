"""Objects that several tests deploy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi import ResourceOptions
from pulumi_kubernetes.apps.v1 import Deployment, StatefulSet


def deployment(
    name: str,
    namespace: str,
    image: str,
    opts: ResourceOptions,
    *,
    marks: Mapping[str, str] | None = None,
    replicas: int | None = None,
    **pod: Any,
) -> Deployment:
    labels = {"app": name}
    container = {"name": "main", "image": image, **pod.pop("container", {})}
    return Deployment(
        name,
        metadata={"name": name, "namespace": namespace, "labels": marks},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], **pod},
            },
        },
        opts=opts,
    )


def stateful_set(name: str, namespace: str, image: str, opts: ResourceOptions) -> StatefulSet:
    labels = {"app": name}
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    return StatefulSet(
        name,
        metadata={"name": name, "namespace": namespace},
        spec={
            "serviceName": name,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
            "volumeClaimTemplates": [claim],
        },
        opts=opts,
    )
