"""Stands in for Seldon Core's operator, whose binary no package registry has.

It makes of a SeldonDeployment what 1.17.1 makes of one without an executor: a Deployment of the Pod
that the object describes, with the server's image, ports and probes, and a loader of its own (which
has no security context) unless there is one of the name that it looks for. Like the real one it
calls the object Available without asking whether the model is loaded.
"""

from __future__ import annotations

import copy
import threading
import urllib.error
from typing import Any, Protocol

GROUP = "/apis/machinelearning.seldon.io/v1"
LABEL = "seldon-deployment-id"


class Api(Protocol):
    def request(self, method: str, path: str, body: Any = None) -> Any: ...


def definition() -> dict[str, Any]:
    """The kind, as far as tests need it."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    names = {
        "kind": "SeldonDeployment", "plural": "seldondeployments", "singular": "seldondeployment",
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "seldondeployments.machinelearning.seldon.io"},
        "spec": {
            "group": "machinelearning.seldon.io",
            "names": names,
            "scope": "Namespaced",
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


class FakeSeldonOperator:
    """Follows the SeldonDeployments of one namespace."""

    def __init__(self, api: Api, namespace: str, server: str) -> None:
        self._api = api
        self._namespace = namespace
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-seldon", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        path = f"{GROUP}/namespaces/{self._namespace}/seldondeployments"
        while not self._ended.wait(0.2):
            try:
                found = self._api.request("GET", path)
                for each in found["items"] if found else ():
                    self._follow(each, path)
            except (OSError, urllib.error.HTTPError):
                continue  # an object vanished meanwhile, or is there already

    def _follow(self, found: dict[str, Any], path: str) -> None:
        name = found["metadata"]["name"]
        deployments = f"/apis/apps/v1/namespaces/{self._namespace}/deployments"
        predictor = found["spec"]["predictors"][0]
        made = f"{name}-{predictor['name']}-0-{name}"
        if self._api.request("GET", f"{deployments}/{made}") is None:
            self._api.request("POST", deployments, self._deployment(made, name, predictor, found))
        if (found.get("status") or {}).get("state") != "Available":
            self._api.request("PATCH", f"{path}/{name}/status", {"status": {"state": "Available"}})

    def _deployment(
        self, made: str, name: str, predictor: dict[str, Any], found: dict[str, Any]
    ) -> dict[str, Any]:
        pod = copy.deepcopy(predictor["componentSpecs"][0]["spec"])
        (server,) = pod["containers"]
        server["image"] = self._server
        server["ports"] = [{"name": "http", "containerPort": 8000}]
        for probe, asks in (("readinessProbe", "ready"), ("livenessProbe", "live")):
            server[probe]["httpGet"] = {"path": f"/v2/health/{asks}", "port": "http"}
        loader = f"{server['name']}-model-initializer"
        if loader not in {each["name"] for each in pod.get("initContainers", ())}:
            pod["initContainers"] = [{"name": loader, "image": "rclone"}]
        mount = {"name": f"{server['name']}-provision-location", "mountPath": "/mnt/models"}
        server["volumeMounts"].append({**mount, "readOnly": True})
        labels = {LABEL: name}
        owner = {
            "apiVersion": found["apiVersion"], "kind": found["kind"], "name": name,
            "uid": found["metadata"]["uid"], "controller": True,
        }  # fmt: skip
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": made, "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "replicas": predictor["replicas"],
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
