"""The way to the API server of Kubeflow Pipelines, and the token that it asks for.

Tokens are those of the tenant's ServiceAccount `pipelines-client`, made by Kubernetes for this
server alone: who may ask for one is decided by the cluster.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from mlops_infra import contract
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube import ApiError, Cluster, UnreachableError
from mlops_infra.kube.tunnelled_http import tunnelled

AUDIENCE = "pipelines.kubeflow.org"
ACCOUNT = "pipelines-client"
SELECTOR = {
    contract.NAME_LABEL: "kubeflow-pipelines",
    contract.COMPONENT_ROLE_LABEL: "api-server",
}
NAMESPACE, PORT = "kubeflow", 8888
SECONDS = 60.0
"""Longest silence of the server; it compiles a pipeline before it answers."""
LIFETIME, EARLY = 3600, 300
"""Seconds that a token is asked for, and how long before its end the next one is."""


class KfpChannel:
    """Requests to one server with the token of one tenant; a `kfp_api.Channel`."""

    def __init__(
        self, where: str, connect: Callable[[], http.client.HTTPConnection], token: Token
    ) -> None:
        self.where = where
        self._connect = connect
        self._token = token

    def send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """One request; status and body.

        Raises:
            OperationFailed: no token, no connection, or no answer in time.
        """
        told = {**headers, "Authorization": f"Bearer {self._token.text()}"}
        try:
            connection = self._connect()
            try:
                connection.request(method, path, body, told)
                response = connection.getresponse()
                return response.status, response.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise OperationFailed(
                f"Kubeflow Pipelines does not respond: {error}",
                where=self.where,
                hint=f"kubectl -n {NAMESPACE} get pods",
            ) from error


class Token:
    """The token of a tenant's account, asked for again before it ends."""

    def __init__(
        self,
        cluster: Callable[[], Cluster],
        namespace: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock
        self._text = ""
        self._until = 0.0

    def text(self) -> str:
        """A token that is good for some minutes at least.

        Raises:
            OperationFailed: the cluster gives none.
        """
        now = self._clock()
        if not self._text or now >= self._until:
            self._text, self._until = self._ask(), now + LIFETIME - EARLY
        return self._text

    def _ask(self) -> str:
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{ACCOUNT}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [AUDIENCE], "expirationSeconds": LIFETIME},
        }
        try:
            return str(self._cluster().send("POST", path, body=body)["status"]["token"])
        except (ApiError, UnreachableError, InputError) as error:
            raise OperationFailed(
                f"no token for Kubeflow Pipelines: {error.what}",
                where=f"ServiceAccount {self._namespace}/{ACCOUNT}",
                hint="it is made by up where components.kubeflow-pipelines is managed or external",
            ) from error


def direct(url: str, cluster: Callable[[], Cluster], namespace: str) -> KfpChannel:
    """The server at `url`, as Pods of the cluster or users of an external one reach it.

    Raises:
        InputError: it is not an http or https URL.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme not in ("http", "https") or not host:
        raise InputError(f"'{url}' is not an http or https URL", where=contract.PIPELINES_VARIABLE)

    def connect() -> http.client.HTTPConnection:
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=SECONDS)
        trusted = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=trusted)

    return KfpChannel(url, connect, Token(cluster, namespace))


def inside(
    kubeconfig: Path | None, context: str | None, cluster: Callable[[], Cluster], namespace: str
) -> KfpChannel:
    """The server inside of the cluster, through a tunnel of the Kubernetes API for each request."""

    def connect() -> http.client.HTTPConnection:
        return tunnelled(
            kubeconfig,
            context,
            title="Kubeflow Pipelines' API server",
            namespace=NAMESPACE,
            labels=SELECTOR,
            port=PORT,
            seconds=SECONDS,
        )

    return KfpChannel(f"namespace {NAMESPACE}", connect, Token(cluster, namespace))
