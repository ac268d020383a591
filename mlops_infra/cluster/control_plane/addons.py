"""What every embedded cluster carries beside Kubernetes itself: DNS, a StorageClass, their rights.

Applied on every start by server-side apply, so a newer program brings newer add-ons.
"""

from __future__ import annotations

from typing import Any

from mlops_infra import contract
from mlops_infra.cluster.api.client import Api
from mlops_infra.cluster.control_plane.processes import DRIVER
from mlops_infra.cluster.instance.addresses import DNS_SERVICE, DOMAIN

STORAGE_CLASS = "local-path"
LABELS = {
    contract.MANAGED_BY_LABEL: "mlops-infra",
    contract.PART_OF_LABEL: "mlops-infra-cluster",
}
DNS_LABELS = {**LABELS, contract.NAME_LABEL: "coredns", "k8s-app": "kube-dns"}
SYSTEM = "kube-system"

_COREFILE = f"""{DOMAIN}:1053 in-addr.arpa:1053 ip6.arpa:1053 {{
    errors
    health :8080 {{
        lameduck 2s
    }}
    ready :8181
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        pods verified
        ttl 10
    }}
    prometheus :9153
    cache 10
    loadbalance
}}
.:1053 {{
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""
# no `forward`: the node has no way out, and a name outside must fail at once, not time out


def apply(api: Api, *, coredns: str) -> None:
    """Apply all add-ons but the figures; `coredns` is the image reference. Raises ApiError."""
    for path, value in objects(coredns):
        api.apply(path, value)


def objects(coredns: str) -> list[tuple[str, dict[str, Any]]]:
    """Path and object of every add-on, in the order in which they are applied."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    core = f"/api/v1/namespaces/{SYSTEM}"
    return [
        ("/apis/storage.k8s.io/v1/storageclasses/" + STORAGE_CLASS, _storage_class()),
        *_rights(rbac, "mlops-infra:local-path-provisioner", _PROVISIONER_RULES, {
            "kind": "User", "apiGroup": "rbac.authorization.k8s.io",
            "name": "mlops-infra:local-path-provisioner"}),
        *_rights(rbac, "mlops-infra:network-policies", _POLICY_RULES, {
            "kind": "User", "apiGroup": "rbac.authorization.k8s.io",
            "name": "mlops-infra:network-policies"}),
        *_rights(rbac, "mlops-infra:coredns", _DNS_RULES, {
            "kind": "ServiceAccount", "name": "coredns", "namespace": SYSTEM}),
        (f"{core}/serviceaccounts/coredns",
         {**_head("v1", "ServiceAccount", "coredns", DNS_LABELS, SYSTEM)}),
        (f"{core}/configmaps/coredns", {
            **_head("v1", "ConfigMap", "coredns", DNS_LABELS, SYSTEM),
            "data": {"Corefile": _COREFILE}}),
        (f"{core}/services/kube-dns", _dns_service()),
        (f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/coredns", _dns_deployment(coredns)),
    ]  # fmt: skip


_DNS_RULES = [
    {
        "apiGroups": [""],
        "resources": ["services", "pods", "namespaces"],
        "verbs": ["list", "watch"],
    },
    {
        "apiGroups": ["discovery.k8s.io"],
        "resources": ["endpointslices"],
        "verbs": ["list", "watch"],
    },
]
_POLICY_RULES = [
    {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]},
    {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"],
     "verbs": ["list", "watch"]},
]  # fmt: skip
_PROVISIONER_RULES = [
    {"apiGroups": [""], "resources": ["persistentvolumeclaims", "nodes"],
     "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["persistentvolumes"],
     "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
]  # fmt: skip


def _head(
    version: str, kind: str, name: str, labels: dict[str, str], namespace: str | None = None
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _rights(
    base: str, name: str, rules: list[dict[str, Any]], subject: dict[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    version = "rbac.authorization.k8s.io/v1"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    return [
        (f"{base}/clusterroles/{name}",
         {**_head(version, "ClusterRole", name, LABELS), "rules": rules}),
        (f"{base}/clusterrolebindings/{name}",
         {**_head(version, "ClusterRoleBinding", name, LABELS), "roleRef": reference,
          "subjects": [subject]}),
    ]  # fmt: skip


def _storage_class() -> dict[str, Any]:
    value = _head("storage.k8s.io/v1", "StorageClass", STORAGE_CLASS, LABELS)
    value["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    return {
        **value,
        "provisioner": DRIVER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _dns_service() -> dict[str, Any]:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 1053},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 1053},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    spec = {"clusterIP": DNS_SERVICE, "selector": {"k8s-app": "kube-dns"}, "ports": ports}
    return {**_head("v1", "Service", "kube-dns", DNS_LABELS, SYSTEM), "spec": spec}


def _dns_deployment(image: str) -> dict[str, Any]:
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": 1053, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 1053, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "40Mi"}, "limits": {"memory": "170Mi"}},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "livenessProbe": _probe("/health", 8080, failures=5),
        "readinessProbe": {**_probe("/ready", 8181, failures=3), "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
    }
    return {
        **_head("apps/v1", "Deployment", "coredns", DNS_LABELS, SYSTEM),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"k8s-app": "kube-dns"}},
            "template": {"metadata": {"labels": DNS_LABELS}, "spec": pod},
        },
    }


def _probe(path: str, port: int, *, failures: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port}, "failureThreshold": failures}
