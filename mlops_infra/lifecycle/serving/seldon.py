"""Serves a model version by Seldon Core 1.17.1: one SeldonDeployment for each version.

1.17.1 is the last release under Apache-2.0 (docs/decisions/0003-licence-gate.md) and unmaintained
since 2023, so this adapter is a choice of the stack's owner. Its own loader and executor have no
security context, which tenants' namespaces refuse: the loader is written here, under the name that
the operator looks for, and there is no executor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_infra import contract
from mlops_infra.lifecycle.services.kubernetes_objects import Cluster, Kind
from mlops_infra.lifecycle.serving.custom_objects import CustomObjectServing, State
from mlops_infra.lifecycle.serving.interface import Address, Scaling, Service, labels

SELDON_DEPLOYMENT = Kind("machinelearning.seldon.io", "v1", "seldondeployments")
PREDICTOR = "default"
PORT = 8000
"""Of the model server; charts/seldon-core tells the operator, charts/lifecycle lets the gateway."""
METRICS_PORT = 8082
"""Of the model server, named as charts/seldon-core says; Prometheus may reach it in any tenant."""
_LONGEST = 63
_SCRAPED = "prometheus.io/port"
_MODELS = "/mnt/models"
_AUTHORITIES = "/etc/site-ca"
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108 - the Pod's own volume
    # Of one process for one model; with workers of its own MLServer ends under uvloop.
    "MLSERVER_PARALLEL_WORKERS": "0",
    "MLSERVER_METRICS_DIR": "/tmp/metrics",  # noqa: S108
    "MLSERVER_ENVIRONMENTS_DIR": "/tmp/environments",  # noqa: S108
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_LOADER_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "96Mi"},
    "limits": {"cpu": "1", "memory": "1Gi"},
}


@dataclass(frozen=True, slots=True)
class Loader:
    """What fetches a model's files before its server starts."""

    image: str
    """Reference of rclone's image."""
    authorities: str | None = None
    """ConfigMap with `ca.crt`, where the store's certificate is the site's own."""


class Seldon(CustomObjectServing):
    """Serves by SeldonDeployments with the protocol v2: MLServer alone in each Pod."""

    kind = SELDON_DEPLOYMENT
    title = "SeldonDeployment"
    pod_label = "seldon-deployment-id"

    def __init__(self, cluster: Cluster, loader: Loader) -> None:
        super().__init__(cluster)
        self._loader = loader

    def manifest(self, service: Service) -> dict[str, Any]:
        """The SeldonDeployment of one model version."""
        return seldon_deployment(service, self._loader)

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
        return Address(f"http://{host}:{PORT}", service.name)

    def scaling_in(self, found: Mapping[str, Any]) -> Scaling:
        """The predictor's number, or the bounds of its autoscaler."""
        predictor = found["spec"]["predictors"][0]
        bounds = predictor["componentSpecs"][0].get("hpaSpec")
        if not bounds:
            return Scaling(predictor["replicas"], predictor["replicas"])
        percent = bounds["metricsv2"][0]["resource"]["target"]["averageUtilization"]
        return Scaling(bounds["minReplicas"], bounds["maxReplicas"], percent)

    def workload(self, service: Service) -> str:
        """The Deployment's name as the operator makes it: of all parts, or a hash of them."""
        whole = f"{service.name}-{PREDICTOR}-0-{service.name}"
        if len(whole) <= _LONGEST:
            return whole
        return f"seldon-{hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()}"


def seldon_deployment(service: Service, loader: Loader) -> dict[str, Any]:
    """The SeldonDeployment of one model version."""
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
                    "annotations": {"seldon.io/no-engine": "true"},
                    "replicas": service.scaling.least,
                    "graph": {
                        "name": service.name,
                        "implementation": "MLFLOW_SERVER",
                        "modelUri": service.storage,
                        "envSecretRefName": contract.SERVING_RCLONE_SECRET,
                    },
                    "componentSpecs": [
                        {
                            # The operator asks for every port to be scraped.
                            "metadata": {"annotations": {_SCRAPED: str(METRICS_PORT)}},
                            "spec": _pod(service, loader),
                            **_autoscaling(service),
                        }
                    ],
                }
            ],
        },
    }


def _pod(service: Service, loader: Loader) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": _files(service), "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
    ]
    if loader.authorities:
        volumes.append({"name": "site-ca", "configMap": {"name": loader.authorities}})
    return {
        "serviceAccountName": "serving",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [_loading(service, loader)],
        "containers": [_server(service)],
        "volumes": volumes,
    }


def _files(service: Service) -> str:
    """Volume with the model's files; the operator mounts it into the server by this name."""
    return f"{service.name}-provision-location"


def _loading(service: Service, loader: Loader) -> dict[str, Any]:
    """In place of the loader that the operator adds where there is none of this name."""
    environment = {"HOME": "/tmp"}  # noqa: S108
    mounts = [{"name": _files(service), "mountPath": _MODELS}, _TMP]
    if loader.authorities:
        environment["RCLONE_CA_CERT"] = f"{_AUTHORITIES}/ca.crt"
        mounts.append({"name": "site-ca", "mountPath": _AUTHORITIES, "readOnly": True})
    return {
        "name": f"{service.name}-model-initializer",
        "image": loader.image,
        "imagePullPolicy": "IfNotPresent",
        "args": [service.storage, _MODELS],
        "env": _variables(environment),
        "envFrom": [{"secretRef": {"name": contract.SERVING_RCLONE_SECRET}}],
        "resources": _LOADER_RESOURCES,
        "securityContext": _RESTRICTED,
        "volumeMounts": mounts,
        # The operator compares Pods with what it asked for: the cluster's defaults are written out.
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def _server(service: Service) -> dict[str, Any]:
    """The operator adds the image, the other ports and what tells MLServer its model."""
    return {
        "name": service.name,
        "env": _variables(_ENVIRONMENT),
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
        "resources": {kind: dict(each) for kind, each in service.resources.items()},
        "securityContext": _RESTRICTED,
        "volumeMounts": [_TMP],
        # MLServer counts as ready before it has loaded the model, which may fail. The operator puts
        # what the other two ask in place of what is asked here; until the first one has had its
        # answer, they ask nothing.
        "startupProbe": _probe(f"/v2/models/{service.name}/ready", period=2, failures=150),
        "readinessProbe": _probe("/v2/health/ready", period=5, failures=3),
        "livenessProbe": _probe("/v2/health/live", period=20, failures=6),
    }


_TMP: dict[str, Any] = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108


def _variables(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": PORT, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
        "successThreshold": 1,
    }


def _autoscaling(service: Service) -> dict[str, Any]:
    scaling = service.scaling
    if scaling.least == scaling.most:
        return {}
    target = {"type": "Utilization", "averageUtilization": scaling.cpu_percent}
    return {
        "hpaSpec": {
            "minReplicas": scaling.least,
            "maxReplicas": scaling.most,
            # `metrics` is of autoscaling/v2beta1, which Kubernetes has not had since 1.25.
            "metricsv2": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        }
    }
