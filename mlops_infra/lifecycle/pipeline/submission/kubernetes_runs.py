"""Workflows of a real cluster, through its API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.pipeline.engines.argo import GROUP, PLURAL, VERSION
from mlops_infra.lifecycle.pipeline.engines.argo_pods import PLATFORM

CONNECT_SECONDS, READ_SECONDS = 5, 30
_TIME = (CONNECT_SECONDS, READ_SECONDS)
_NODE = "workflows.argoproj.io/node-id"
_WORKFLOW = "workflows.argoproj.io/workflow"
CODE_LIMIT = 700_000
"""Bytes of code that a ConfigMap carries; the object as a whole may have 1 MiB."""


class KubernetesRuns:
    """A `submission.Workflows` over the Kubernetes client."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        """Use `kubeconfig`, or the account of this Pod where there is one."""
        from kubernetes import client, config

        self._client = client
        self._where = str(kubeconfig or "the default kubeconfig")
        try:
            if kubeconfig is None and _in_pod():
                config.load_incluster_config()
                api = client.ApiClient()
                self._where = "this cluster"
            else:
                api = config.new_client_from_config(
                    config_file=str(kubeconfig) if kubeconfig else None, context=context
                )
        except config.ConfigException as error:
            raise OperationFailed(
                f"no cluster is configured: {error}", where=self._where
            ) from error
        api.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self._core = client.CoreV1Api(api)
        self._custom = client.CustomObjectsApi(api)

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Create a Workflow."""
        namespace = manifest["metadata"]["namespace"]
        with self._told(f"take the run into {namespace}"):
            self._custom.create_namespaced_custom_object(
                *(GROUP, VERSION, namespace, PLURAL, dict(manifest)), _request_timeout=_TIME
            )

    def keep_code(self, namespace: str, name: str, file: str, text: str) -> None:
        """Store the person's code as an immutable ConfigMap, once: the name tells the content."""
        if len(text.encode()) > CODE_LIMIT:
            raise InputError(
                f"the code is larger than {CODE_LIMIT} bytes, the most that a ConfigMap carries",
                hint="send it to the tenant's bucket: --code-in bucket",
            )
        body = {
            "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "mlops-infra"}},
            "immutable": True,
            "data": {file: text},
        }
        with self._told(f"take the code into {namespace}"):
            try:
                self._core.create_namespaced_config_map(namespace, body, _request_timeout=_TIME)
            except self._client.ApiException as error:
                if error.status != HTTPStatus.CONFLICT:
                    raise

    def platform(self, namespace: str) -> Mapping[str, str]:
        """What the tenant's Pods are told of the platform; empty where it tells nothing."""
        with self._told(f"show ConfigMap {PLATFORM} of {namespace}"):
            try:
                found = self._core.read_namespaced_config_map(
                    PLATFORM, namespace, _request_timeout=_TIME
                )
            except self._client.ApiException as error:
                if error.status == HTTPStatus.NOT_FOUND:
                    return {}
                raise
        return dict(found.data or {})

    def read(self, namespace: str, name: str) -> Mapping[str, Any]:
        """The Workflow as it is now."""
        with self._told(f"show the run {name}"):
            found: Mapping[str, Any] = self._custom.get_namespaced_custom_object(
                *(GROUP, VERSION, namespace, PLURAL, name), _request_timeout=_TIME
            )
        return found

    def log(self, namespace: str, workflow: str, node: str, lines: int) -> str:
        """The last lines of a node's main container; empty where it never ran."""
        with self._told(f"show the log of {workflow}"):
            pods = self._core.list_namespaced_pod(
                namespace, label_selector=f"{_WORKFLOW}={workflow}", _request_timeout=_TIME
            ).items
            for pod in pods:
                if (pod.metadata.annotations or {}).get(_NODE) == node:
                    return self._tail(namespace, pod.metadata.name, lines)
        return ""

    def _tail(self, namespace: str, pod: str, lines: int) -> str:
        try:
            text: str = self._core.read_namespaced_pod_log(
                pod, namespace, container="main", tail_lines=lines, _request_timeout=_TIME
            )
        except self._client.ApiException as error:
            if error.status == HTTPStatus.BAD_REQUEST:
                return ""  # the container has not started
            raise
        return text

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from urllib3.exceptions import HTTPError

        try:
            yield
        except self._client.ApiException as error:
            raise OperationFailed(
                f"the cluster did not {what}: HTTP {error.status} {error.reason}",
                where=f"{self._where}: {str(error.body or '')[:300]}",
                hint=_HINTS.get(int(error.status or 0), "mlops-infra status"),
            ) from error
        except (HTTPError, OSError) as error:
            raise OperationFailed(
                f"the cluster did not {what}: {error}",
                where=self._where,
                hint="check that it runs: mlops-infra cluster status",
            ) from error


_HINTS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "check that tenant and Argo Workflows are deployed: mlops-infra status",
    HTTPStatus.FORBIDDEN: "this account may not run pipelines for the tenant",
    HTTPStatus.CONFLICT: "a run of that name already exists",
}


def _in_pod() -> bool:
    return Path("/var/run/secrets/kubernetes.io/serviceaccount/token").exists()
