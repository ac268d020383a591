"""Starts trainings as Argo Workflows through the Kubernetes API, and tells how they end.

A training has the name that its event gives it, so to start it twice is to be told that it is
there: that makes it safe to carry out a claim again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

from mlops_infra import contract
from mlops_infra.errors import InputError, MlopsError, OperationFailed
from mlops_infra.kube import ApiError, Cluster
from mlops_infra.lifecycle.triggers.declared import DeclaredModel
from mlops_infra.lifecycle.triggers.ledger import Claim

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
SECONDS = 30.0
"""Longest silence of the API server."""
_CAUSE_LENGTH = 1024
_REFUSED = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""Answers that will not change when the same is asked again."""


class Workflows(Protocol):
    """The part of Kubernetes that trainings need; all raise `OperationFailed`."""

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        """Create it; False where one of that name exists; InputError where it is refused."""

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Phase and message; None where there is no such workflow."""


Build = Callable[[DeclaredModel, Claim], dict[str, Any]]
"""Makes the manifest of the training that answers a claim."""


def build(image: str) -> Build:
    """Manifests of the declared pipelines, made by the emitter for Argo.

    Args:
        image: the runtime image that the steps run in.
    """

    def make(model: DeclaredModel, claim: Claim) -> dict[str, Any]:
        from mlops_infra.lifecycle.pipeline.definition.arguments import complete
        from mlops_infra.lifecycle.pipeline.definition.standard import standard
        from mlops_infra.lifecycle.pipeline.engines import argo
        from mlops_infra.lifecycle.pipeline.engines.argo_settings import ArgoSettings

        pipeline = standard(model.pipeline)
        values = complete({**model.parameters, "model": model.name}, pipeline)
        settings = ArgoSettings(tenant=model.tenant, image=image)
        made = argo.workflow(pipeline, values, settings, run=claim.workflow)
        return marked(made, model, claim)

    return make


def marked(manifest: Mapping[str, Any], model: DeclaredModel, claim: Claim) -> dict[str, Any]:
    """The manifest under the claim's name, with what caused it."""
    metadata = dict(manifest.get("metadata", {}))
    metadata.pop("generateName", None)
    labels = {
        **metadata.get("labels", {}),
        contract.TENANT_LABEL: model.tenant,
        contract.TRIGGER_LABEL: claim.trigger.rpartition("/")[2],
    }
    annotations = {
        **metadata.get("annotations", {}),
        contract.MODEL_LABEL: model.name,
        contract.CAUSE_ANNOTATION: str(claim.cause.get("text", ""))[:_CAUSE_LENGTH],
        contract.CAUSE_KEY_ANNOTATION: claim.key,
    }
    named = {"name": claim.workflow, "namespace": model.namespace}
    return {
        **manifest,
        "metadata": {**metadata, **named, "labels": labels, "annotations": annotations},
    }


class KubernetesWorkflows:
    """Workflows of the cluster that this Pod, or a kubeconfig, belongs to."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        self._cluster = cluster or Cluster.open(None, seconds=SECONDS)

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        """Create it; False where one of that name exists; InputError where it is refused."""
        name = manifest["metadata"]["name"]
        try:
            self._cluster.send("POST", _path(namespace), body=dict(manifest))
        except ApiError as error:
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise _failed(error, f"create workflow {namespace}/{name}") from error
        return True

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Phase and message; None where there is no such workflow."""
        try:
            found = self._cluster.find(f"{_path(namespace)}/{name}")
        except ApiError as error:
            raise _failed(error, f"read workflow {namespace}/{name}") from error
        if found is None:
            return None
        status = found.get("status") or {}
        return str(status.get("phase") or ""), str(status.get("message") or "")


def _path(namespace: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"


def _failed(error: ApiError, what: str) -> MlopsError:
    kind = InputError if error.status in _REFUSED else OperationFailed
    return kind(
        f"Kubernetes did not {what}: HTTP {error.status} {error.message}",
        where=error.where,
        hint="check the tenant's namespace, its Roles and Argo's CRDs",
    )
