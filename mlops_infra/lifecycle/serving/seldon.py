"""Serves a model version by Seldon Core 1.17.1: one SeldonDeployment for each version.

1.17.1 is the last release under Apache-2.0 (docs/decisions/0003-licence-gate.md) and unmaintained
since 2023, so this adapter is a choice of the stack's owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra import contract
from mlops_infra.lifecycle.services.kubernetes_objects import Kind
from mlops_infra.lifecycle.serving.custom_objects import CustomObjectServing, State
from mlops_infra.lifecycle.serving.interface import Address, Service, labels

SELDON_DEPLOYMENT = Kind("machinelearning.seldon.io", "v1", "seldondeployments")
PREDICTOR = "default"
EXECUTOR_PORT = 8000
"""Of the executor, which stands before the model in every Pod."""
RCLONE_SECRET = "serving-rclone"  # noqa: S105 - the name of a Secret
"""Keys RCLONE_CONFIG_S3_…: the store as the model initializer reads it."""


class Seldon(CustomObjectServing):
    """Serves by SeldonDeployments with the protocol v2 (MLServer behind Seldon's executor)."""

    kind = SELDON_DEPLOYMENT
    title = "SeldonDeployment"
    pod_label = "seldon-deployment-id"

    def manifest(self, service: Service) -> dict[str, Any]:
        """The SeldonDeployment of one model version."""
        return seldon_deployment(service)

    def state(self, found: Mapping[str, Any]) -> State:
        """Its state and description; `Creating` before the operator has looked at it."""
        status = found.get("status") or {}
        state = str(status.get("state") or "Creating")
        description = str(status.get("description") or "")
        if state == "Failed":
            return State(ready=False, reason=description, failed=True)
        return State(state == "Available", f"{state} {description}".rstrip())

    def address(self, service: Service) -> Address:
        """The predictor's Service in the cluster."""
        host = f"{service.name}-{PREDICTOR}.{service.namespace}.svc.cluster.local"
        return Address(f"http://{host}:{EXECUTOR_PORT}", service.name)


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
            "annotations": {contract.MODEL_LABEL: f"{service.model}/{service.version}"},
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
