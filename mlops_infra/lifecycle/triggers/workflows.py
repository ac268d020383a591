"""Starts trainings as Argo Workflows through the Kubernetes API, and tells how they end.

A training has the name that its event gives it, so to start it twice is to be told that it is
there: that makes it safe to carry out a claim again after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Protocol

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.triggers.declared import DeclaredModel
from mlops_infra.lifecycle.triggers.ledger import Claim

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
CONNECT_SECONDS, READ_SECONDS = 5, 30
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

        pipeline = standard(model.pipeline)
        values = complete({**model.parameters, "model": model.name}, pipeline)
        settings = argo.ArgoSettings(tenant=model.tenant, image=image)
        made = argo.workflow(pipeline, values, settings, run=claim.workflow)
        return marked(made, model, claim)

    return make


def marked(manifest: Mapping[str, Any], model: DeclaredModel, claim: Claim) -> dict[str, Any]:
    """The manifest under the claim's name, with what caused it."""
    metadata = dict(manifest.get("metadata", {}))
    metadata.pop("generateName", None)
    labels = {
        **metadata.get("labels", {}),
        "mlops-infra.dev/tenant": model.tenant,
        "mlops-infra.dev/trigger": claim.trigger.rpartition("/")[2],
    }
    annotations = {
        **metadata.get("annotations", {}),
        "mlops-infra.dev/model": model.name,
        "mlops-infra.dev/cause": str(claim.cause.get("text", ""))[:_CAUSE_LENGTH],
        "mlops-infra.dev/cause-key": claim.key,
    }
    named = {"name": claim.workflow, "namespace": model.namespace}
    return {
        **manifest,
        "metadata": {**metadata, **named, "labels": labels, "annotations": annotations},
    }


class KubernetesWorkflows:
    """Workflows of the cluster that this Pod, or a kubeconfig, belongs to."""

    def __init__(self, api: Any = None) -> None:
        from kubernetes import client, config

        if api is None:
            config.load_incluster_config()
            api = client.ApiClient()
        self._client = client
        self._custom = client.CustomObjectsApi(api)

    def create(self, namespace: str, manifest: Mapping[str, Any]) -> bool:
        """Create it; False where one of that name exists; InputError where it is refused."""
        name = manifest["metadata"]["name"]
        try:
            with self._told(f"create workflow {namespace}/{name}"):
                self._custom.create_namespaced_custom_object(
                    *(GROUP, VERSION, namespace, PLURAL, dict(manifest)),
                    _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
                )
        except _Conflict:
            return False
        return True

    def status(self, namespace: str, name: str) -> tuple[str, str] | None:
        """Phase and message; None where there is no such workflow."""
        try:
            with self._told(f"read workflow {namespace}/{name}"):
                found = self._custom.get_namespaced_custom_object(
                    *(GROUP, VERSION, namespace, PLURAL, name),
                    _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
                )
        except _Absent:
            return None
        status = found.get("status") or {}
        return str(status.get("phase") or ""), str(status.get("message") or "")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from urllib3.exceptions import HTTPError

        try:
            yield
        except self._client.ApiException as error:
            if error.status == HTTPStatus.CONFLICT:
                raise _Conflict(what) from error
            reading = what.startswith("read")
            if error.status == HTTPStatus.NOT_FOUND and reading:
                raise _Absent(what) from error
            kind = InputError if error.status in _REFUSED else OperationFailed
            raise kind(
                f"Kubernetes did not {what}: HTTP {error.status} {error.reason}",
                where=str(error.body or "")[:300] or None,
                hint="check the tenant's namespace, its Roles and Argo's CRDs",
            ) from error
        except (HTTPError, OSError) as error:
            raise OperationFailed(f"Kubernetes did not {what}: {error}") from error


class _Conflict(Exception):
    pass


class _Absent(Exception):
    pass
