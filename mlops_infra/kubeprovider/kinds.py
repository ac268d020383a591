"""What is known of kinds without asking a server."""

from __future__ import annotations

from mlops_infra.kubeprovider.problems import ProviderError

CRD = "CustomResourceDefinition"

CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "ClusterRole",
        "ClusterRoleBinding",
        CRD,
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)
"""Built-in kinds outside any namespace (Kubernetes 1.34 API reference)."""


def from_type(token: str) -> tuple[str, str]:
    """apiVersion and kind of a resource type such as `kubernetes:apps/v1:Deployment`.

    Raises:
        ProviderError: a kind of resource that only the official provider has.
    """
    _, group_version, kind = token.split(":")
    if group_version.startswith(("helm.sh/", "yaml/", "kustomize/")):
        raise ProviderError(f"{token} needs the official Kubernetes provider")
    if kind.endswith("Patch") and "." not in group_version.split("/")[0]:
        raise ProviderError(f"{token}: patch resources need the official Kubernetes provider")
    return group_version.removeprefix("core/"), kind


def to_type(api_version: str, kind: str) -> str:
    """The resource type of an object, as the SDKs spell it."""
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group_version}:{kind}"


def is_crd(api_version: str, kind: str) -> bool:
    """Whether this is a custom resource's definition."""
    return kind == CRD and api_version.startswith("apiextensions.k8s.io/")
