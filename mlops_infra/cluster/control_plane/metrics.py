"""metrics-server: what `kubectl top` and HorizontalPodAutoscalers read.

TLS is checked both ways: its own certificate comes from the cluster's authority, and it knows the
kubelet's by the same. Its probe asks whether it lives, not whether it has figures: an aggregated
API that is "not available" keeps every namespace from being deleted, so it answers from the first
second and says that there are no figures yet.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from mlops_infra import contract
from mlops_infra.cluster.api.client import Api, ApiError
from mlops_infra.cluster.control_plane.simulated_nodes import SIMULATED

NAME = "metrics-server"
NAMESPACE = "kube-system"
SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
RESOLUTION = "10s"
"""How often the kubelet is asked; the program takes no less."""
PORT = 10250
LABELS = {
    contract.MANAGED_BY_LABEL: "mlops-infra",
    contract.PART_OF_LABEL: "mlops-infra-cluster",
    contract.NAME_LABEL: NAME,
}
_RBAC = "rbac.authorization.k8s.io"
_RULES = [
    {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
]
_READERS = [
    {
        "apiGroups": ["metrics.k8s.io"],
        "resources": ["pods", "nodes"],
        "verbs": ["get", "list", "watch"],
    }
]


def available(api: Api) -> bool:
    """Whether the API server reaches it."""
    try:
        found = api.get(SERVICE)
    except ApiError:
        return False
    conditions = found.get("status", {}).get("conditions", [])
    return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)


def apply(api: Api, image: str, pki: Path) -> None:
    """Apply it by server-side apply; see `objects`. Raises ApiError."""
    for path, value in objects(image, pki):
        api.apply(path, value)


def objects(image: str, pki: Path) -> list[tuple[str, dict[str, Any]]]:
    """Path and object of everything it needs, in the order in which they are applied.

    Args:
        image: reference of its image.
        pki: folder with the certificate `metrics-server` and the authority `ca`.
    """
    cluster, core = f"/apis/{_RBAC}/v1", f"/api/v1/namespaces/{NAMESPACE}"
    return [
        (f"{core}/serviceaccounts/{NAME}", _head("v1", "ServiceAccount", NAME, NAMESPACE)),
        (f"{core}/secrets/{NAME}-tls", _certificate(pki)),
        _role(f"{cluster}/clusterroles", "mlops-infra:metrics-server", _RULES),
        _role(f"{cluster}/clusterroles", "mlops-infra:metrics-readers", _READERS, {
            f"{_RBAC}/aggregate-to-{role}": "true" for role in ("admin", "edit", "view")}),
        _binding(f"{cluster}/clusterrolebindings", "mlops-infra:metrics-server",
                 ("ClusterRole", "mlops-infra:metrics-server")),
        _binding(f"{cluster}/clusterrolebindings", "mlops-infra:metrics-server-auth",
                 ("ClusterRole", "system:auth-delegator")),
        _binding(f"{cluster}/namespaces/{NAMESPACE}/rolebindings", "mlops-infra:metrics-server",
                 ("Role", "extension-apiserver-authentication-reader"), NAMESPACE),
        (f"{core}/services/{NAME}", {
            **_head("v1", "Service", NAME, NAMESPACE),
            "spec": {"selector": {contract.NAME_LABEL: NAME},
                     "ports": [{"name": "https", "port": 443, "targetPort": PORT}]}}),
        (f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}", _deployment(image)),
        (SERVICE, {
            **_head("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io"),
            "spec": {"group": "metrics.k8s.io", "version": "v1beta1",
                     "groupPriorityMinimum": 100, "versionPriority": 100,
                     "service": {"name": NAME, "namespace": NAMESPACE, "port": 443},
                     "caBundle": _encoded(pki / "ca.crt")}}),
    ]  # fmt: skip


def _head(version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": LABELS}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _encoded(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _certificate(pki: Path) -> dict[str, Any]:
    data = {"tls.crt": _encoded(pki / f"{NAME}.crt"), "tls.key": _encoded(pki / f"{NAME}.key")}
    return {
        **_head("v1", "Secret", f"{NAME}-tls", NAMESPACE),
        "type": "kubernetes.io/tls",
        "data": data,
    }


def _role(
    base: str, name: str, rules: list[dict[str, Any]], labels: dict[str, str] | None = None
) -> tuple[str, dict[str, Any]]:
    value = _head(f"{_RBAC}/v1", "ClusterRole", name)
    value["metadata"]["labels"] = {**LABELS, **(labels or {})}
    return f"{base}/{name}", {**value, "rules": rules}


def _binding(
    base: str, name: str, role: tuple[str, str], namespace: str | None = None
) -> tuple[str, dict[str, Any]]:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    return f"{base}/{name}", {
        **_head(f"{_RBAC}/v1", kind, name, namespace),
        "roleRef": {"apiGroup": _RBAC, "kind": role[0], "name": role[1]},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
    }


def _deployment(image: str) -> dict[str, Any]:
    probe = {"path": "/livez", "port": PORT, "scheme": "HTTPS"}
    container = {
        "name": NAME,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            f"--secure-port={PORT}",
            "--tls-cert-file=/etc/tls/tls.crt",
            "--tls-private-key-file=/etc/tls/tls.key",
            "--kubelet-certificate-authority=/etc/authority/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            f"--metric-resolution={RESOLUTION}",
            # must be shorter than that
            "--kubelet-request-timeout=5s",
            # nobody answers for a simulated node
            f"--node-selector={SIMULATED}!=true",
        ],
        "env": [{"name": "GOMEMLIMIT", "value": "48MiB"}],
        "ports": [{"name": "https", "containerPort": PORT}],
        "resources": {"requests": {"cpu": "10m", "memory": "40Mi"}, "limits": {"memory": "160Mi"}},
        "readinessProbe": {"httpGet": probe, "periodSeconds": 1, "failureThreshold": 5},
        "livenessProbe": {"httpGet": probe, "periodSeconds": 10, "failureThreshold": 6},
        "volumeMounts": [
            {"name": "tls", "mountPath": "/etc/tls", "readOnly": True},
            {"name": "authority", "mountPath": "/etc/authority", "readOnly": True},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "serviceAccountName": NAME,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "fsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "tls", "secret": {"secretName": f"{NAME}-tls", "defaultMode": 0o440}},
            {"name": "authority", "configMap": {"name": "kube-root-ca.crt"}},
        ],
    }
    return {
        **_head("apps/v1", "Deployment", NAME, NAMESPACE),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {contract.NAME_LABEL: NAME}},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
        },
    }
