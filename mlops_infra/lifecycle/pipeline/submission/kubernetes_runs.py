"""Workflows of a real cluster, through its API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube import ApiError, Cluster, UnreachableError
from mlops_infra.kube.objects import annotation, metadata, name_of
from mlops_infra.kube.reading import pods
from mlops_infra.lifecycle.pipeline.engines.argo import GROUP, PLURAL, VERSION
from mlops_infra.lifecycle.pipeline.engines.argo_pods import PLATFORM

SECONDS = 30.0
"""Longest silence of the API server."""
_NODE = "workflows.argoproj.io/node-id"
_WORKFLOW = "workflows.argoproj.io/workflow"
_NODE_NAME = "workflows.argoproj.io/node-name"
"""Of Kubeflow Pipelines `WORKFLOW.root.STEP.executor`, and a number in brackets for each try."""
_KFP_RUN, _KFP_EXECUTOR = "pipeline/runid", "executor"
CODE_LIMIT = 700_000
"""Bytes of code that a ConfigMap carries; the object as a whole may have 1 MiB."""


class KubernetesRuns:
    """A `submission.Workflows` over the API server."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Use `kubeconfig`, or the account of this Pod where there is one."""
        try:
            self._cluster = Cluster.open(kubeconfig, context, seconds=SECONDS)
        except InputError as error:
            raise OperationFailed(
                f"no cluster is configured: {error.what}", where=error.where
            ) from error

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Create a Workflow."""
        namespace = manifest["metadata"]["namespace"]
        with self._asked(f"take the run into {namespace}"):
            self._cluster.send("POST", _workflows(namespace), body=dict(manifest))

    def keep_code(self, namespace: str, name: str, file: str, text: str) -> None:
        """Store the person's code as an immutable ConfigMap, once: the name tells the content."""
        if len(text.encode()) > CODE_LIMIT:
            raise InputError(
                f"the code is larger than {CODE_LIMIT} bytes, the most that a ConfigMap carries",
                hint="send it to the tenant's bucket: --code-in bucket",
            )
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {contract.MANAGED_BY_LABEL: "mlops-infra"}},
            "immutable": True,
            "data": {file: text},
        }
        with self._asked(f"take the code into {namespace}"):
            try:
                self._cluster.send("POST", _config_maps(namespace), body=body)
            except ApiError as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise

    def platform(self, namespace: str) -> Mapping[str, str]:
        """What the tenant's Pods are told of the platform; empty where it tells nothing."""
        with self._asked(f"show ConfigMap {PLATFORM} of {namespace}"):
            found = self._cluster.find(f"{_config_maps(namespace)}/{PLATFORM}")
        return dict((found or {}).get("data") or {})

    def read(self, namespace: str, name: str) -> Mapping[str, Any]:
        """The Workflow as it is now."""
        with self._asked(f"show the run {name}"):
            return self._cluster.get(f"{_workflows(namespace)}/{name}")

    def log(self, namespace: str, workflow: str, node: str, lines: int) -> str:
        """The last lines of a node's main container; empty where it never ran."""
        with self._asked(f"show the log of {workflow}"):
            for pod in pods(self._cluster, namespace, {_WORKFLOW: workflow}):
                if annotation(pod, _NODE) == node:
                    return self._cluster.log(namespace, name_of(pod), "main", lines=lines)
        return ""

    def kfp_log(self, namespace: str, run: str, step: str, lines: int) -> str:
        """The last lines of a step of Kubeflow Pipelines; empty where it never ran."""
        with self._asked(f"show the log of {run}"):
            found = [
                pod
                for pod in pods(self._cluster, namespace, {_KFP_RUN: run})
                if f".{step}.{_KFP_EXECUTOR}" in annotation(pod, _NODE_NAME)
            ]
            if not found:
                return ""
            last = max(found, key=lambda pod: str(metadata(pod).get("creationTimestamp")))
            return self._cluster.log(namespace, name_of(last), "main", lines=lines)

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        try:
            yield
        except ApiError as error:
            raise OperationFailed(
                f"the cluster did not {what}: HTTP {error.status} {error.message}",
                where=f"{self._cluster.where}: {error.where}",
                hint=_HINTS.get(error.status, "mlops-infra status -s STACK"),
            ) from error
        except UnreachableError as error:
            raise OperationFailed(
                f"the cluster did not {what}: {error.what}",
                where=self._cluster.where,
                hint="check that the cluster runs: mlops-infra cluster status",
            ) from error


def _workflows(namespace: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"


def _config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


_HINTS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "check that tenant and Argo Workflows are deployed: mlops-infra status",
    HTTPStatus.FORBIDDEN: "this account may not run pipelines for the tenant",
    HTTPStatus.CONFLICT: "a run of that name already exists",
}
