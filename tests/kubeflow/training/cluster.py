"""How the tests of Trainer and Katib ask the cluster: as its administrator, or as an account."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from mlops_infra import toolchain
from mlops_infra.kube.tunnel import forwarded_port
from mlops_infra.progress import quiet
from tests.e2e.platform import Platform, cluster_client

TENANT, OTHER = "tenant-demo", "tenant-other"
PATIENCE = 600
"""Seconds; a machine that is busy pulls, starts and answers slowly."""
TRUE = "True"


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`.

    Raises:
        AssertionError: it takes too long.
    """
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(1)


class Objects:
    """Custom resources of one kind in one namespace.

    Args:
        client: who asks.
        plural: `experiments`, with the group and version of the kind.
        namespace: where they are.
    """

    def __init__(self, client: Any, plural: str, namespace: str = TENANT) -> None:
        from kubernetes.client import CustomObjectsApi

        self.api: Any = CustomObjectsApi(client)
        trains = plural in ("trainjobs", "trainingruntimes")
        group = ("trainer.kubeflow.org", "v1alpha1") if trains else ("kubeflow.org", "v1beta1")
        self.place = (*group, namespace, plural)

    def create(self, body: dict[str, Any]) -> None:
        self.api.create_namespaced_custom_object(*self.place, body)

    def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_namespaced_custom_object(*self.place, name)
        return found

    def patch(self, name: str, body: dict[str, Any]) -> None:
        self.api.patch_namespaced_custom_object(*self.place, name, body)

    def list(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]]
        found = self.api.list_namespaced_custom_object(*self.place)["items"]
        return found

    def ended(self, name: str, condition: str, *, trials: int = 0) -> dict[str, Any]:
        """The object once `condition` is true and it has had so many trials.

        Raises:
            AssertionError: it has failed, or took too long.
        """
        ends = time.monotonic() + PATIENCE
        while True:
            found = self.get(name)
            status = found.get("status", {})
            conditions = status.get("conditions", [])
            true = {each["type"] for each in conditions if each["status"] == TRUE}
            if condition in true and status.get("trials", 0) >= trials:
                return found
            assert "Failed" not in true, conditions
            assert time.monotonic() < ends, f"{status}\n{_events(self.api.api_client)}"
            time.sleep(1)


def as_account(platform: Platform, namespace: str, name: str) -> Any:
    """The Kubernetes client library with a token of a ServiceAccount."""
    from kubernetes.client import ApiClient, Configuration

    settings = Configuration()
    ours = cluster_client(platform).configuration
    settings.host, settings.ssl_ca_cert = ours.host, ours.ssl_ca_cert
    settings.api_key = {"authorization": f"Bearer {token(platform, namespace, name)}"}
    return ApiClient(settings)


def token(platform: Platform, namespace: str, name: str) -> str:
    """A new token of a ServiceAccount for the API server."""
    from kubernetes.client import AuthenticationV1TokenRequest, CoreV1Api, V1TokenRequestSpec

    asked = AuthenticationV1TokenRequest(spec=V1TokenRequestSpec(audiences=[]))
    core: Any = CoreV1Api(cluster_client(platform))
    given: str = core.create_namespaced_service_account_token(name, namespace, asked).status.token
    return given


def python_image(platform: Platform) -> str:
    """The image of the runtime `python`, which the node has."""
    from kubernetes.client import CustomObjectsApi

    api: Any = CustomObjectsApi(cluster_client(platform))
    found = api.get_cluster_custom_object(
        "trainer.kubeflow.org", "v1alpha1", "clustertrainingruntimes", "python"
    )
    (replicated,) = found["spec"]["template"]["spec"]["replicatedJobs"]
    (container,) = replicated["template"]["spec"]["template"]["spec"]["containers"]
    image: str = container["image"]
    return image


def pods(platform: Platform, selector: str, namespace: str = TENANT) -> list[Any]:
    """Pods by their labels."""
    from kubernetes.client import CoreV1Api

    core: Any = CoreV1Api(cluster_client(platform))
    found: list[Any] = core.list_namespaced_pod(namespace, label_selector=selector).items
    return found


def logs(platform: Platform, selector: str) -> list[str]:
    """What Pods of the tenant have printed."""
    from kubernetes.client import CoreV1Api

    core: Any = CoreV1Api(cluster_client(platform))
    names = [pod.metadata.name for pod in pods(platform, selector)]
    return [core.read_namespaced_pod_log(name, TENANT).strip() for name in names]


@contextmanager
def katib_server(platform: Platform) -> Iterator[Callable[..., tuple[int, str]]]:
    """Asks Katib's server of experiments for a path, as an administrator reaches it."""
    program = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    kubectl = [str(program), "--kubeconfig", str(platform.kubeconfig)]
    with forwarded_port(kubectl, "kubeflow", "svc/katib-ui", 80) as port:

        def ask(
            path: str, headers: Mapping[str, str] | None = None, body: Any = None
        ) -> tuple[int, str]:
            method, sent = ("GET", None) if body is None else ("POST", json.dumps(body))
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request(method, f"/katib/{path}", sent, headers=dict(headers or {}))
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

        yield ask


def _events(client: Any) -> str:
    from kubernetes.client import CoreV1Api

    events = CoreV1Api(client).list_namespaced_event(TENANT).items
    return "\n".join(f"{e.involved_object.name}: {e.message}" for e in events[-30:])
