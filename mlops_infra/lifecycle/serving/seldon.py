"""Serves a model version by Seldon Core 1.17.1: one SeldonDeployment for each version.

1.17.1 is the last release under Apache-2.0 (docs/decisions/0003-licence-gate.md) and unmaintained
since 2023, so this adapter is a choice of the stack's owner.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops_infra.lifecycle.services.kubernetes_objects import Cluster, Kind
from mlops_infra.lifecycle.serving.kserve import (
    Address,
    Alive,
    CannotServe,
    Service,
    label_of,
    labels,
)
from mlops_infra.lifecycle.serving.pod_faults import PodFaults

SELDON_DEPLOYMENT = Kind("machinelearning.seldon.io", "v1", "seldondeployments")
PREDICTOR = "default"
EXECUTOR_PORT = 8000
"""Of the executor, which stands before the model in every Pod."""
RCLONE_SECRET = "serving-rclone"  # noqa: S105 - the name of a Secret
"""Keys RCLONE_CONFIG_S3_…: the store as the model initializer reads it."""
_POLL_SECONDS = 1.0


class Seldon:
    """Serves by SeldonDeployments with the protocol v2 (MLServer behind Seldon's executor)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def deploy(self, service: Service) -> None:
        """Make or correct the SeldonDeployment; returns at once."""
        self._cluster.apply(SELDON_DEPLOYMENT, service.namespace, seldon_deployment(service))

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        """Wait for the state Available; a Pod that cannot start ends the wait early."""
        until = time.monotonic() + seconds
        where = f"SeldonDeployment {service.namespace}/{service.name}"
        state, why = None, ""
        selector = f"seldon-deployment-id={service.name}"
        faults = PodFaults(self._cluster, service.namespace, selector)
        while time.monotonic() < until:
            alive()
            found = self._cluster.get(SELDON_DEPLOYMENT, service.namespace, service.name)
            if found is None:
                raise CannotServe("the SeldonDeployment was deleted meanwhile", where=where)
            state, why = state_of(found)
            if state == "Available":
                return self.address(service)
            if state == "Failed":
                raise CannotServe(f"{service.name} failed: {why}", where=where)
            if broken := faults.look():
                raise CannotServe(f"{service.name} cannot start: {broken[0]}", where=where)
            time.sleep(_POLL_SECONDS)
        raise CannotServe(
            f"{service.name} is not Available after {seconds:g} s: {state} {why}".rstrip(),
            where=where,
        )

    def address(self, service: Service) -> Address:
        """The predictor's Service in the cluster."""
        host = f"{service.name}-{PREDICTOR}.{service.namespace}.svc.cluster.local"
        return Address(f"http://{host}:{EXECUTOR_PORT}", service.name)

    def delete(self, tenant: str, name: str) -> bool:
        """Take the SeldonDeployment away; whether it was there."""
        return self._cluster.delete(SELDON_DEPLOYMENT, f"tenant-{tenant}", name)

    def deployed(self, tenant: str, model: str) -> list[str]:
        """Names of the SeldonDeployments of one model."""
        selector = f"mlops-infra.dev/model={label_of(model)}"
        found = self._cluster.list(SELDON_DEPLOYMENT, f"tenant-{tenant}", selector)
        return sorted(each["metadata"]["name"] for each in found)


def seldon_deployment(service: Service) -> dict[str, Any]:
    """The SeldonDeployment of one model version."""
    resources = {kind: dict(each) for kind, each in service.resources.items()}
    component: dict[str, Any] = {
        "spec": {
            "serviceAccountName": "serving",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": service.name,
                    "resources": resources,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        }
    }
    scaling = service.scaling
    if scaling.least != scaling.most:
        component["hpaSpec"] = {
            "minReplicas": scaling.least,
            "maxReplicas": scaling.most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "targetAverageUtilization": scaling.cpu_percent,
                    },
                }
            ],
        }
    return {
        "apiVersion": "machinelearning.seldon.io/v1",
        "kind": "SeldonDeployment",
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "labels": labels(service),
            "annotations": {"mlops-infra.dev/model": f"{service.model}/{service.version}"},
        },
        "spec": {
            "name": service.name,
            "protocol": "v2",
            "predictors": [
                {
                    "name": PREDICTOR,
                    "replicas": scaling.least,
                    "graph": {
                        "name": service.name,
                        "implementation": "MLFLOW_SERVER",
                        "modelUri": service.storage,
                        "envSecretRefName": RCLONE_SECRET,
                    },
                    "componentSpecs": [component],
                }
            ],
        },
    }


def state_of(found: Mapping[str, Any]) -> tuple[str, str]:
    """State and description; `Creating` while the status is about an older generation."""
    status = found.get("status") or {}
    return str(status.get("state") or "Creating"), str(status.get("description") or "")
