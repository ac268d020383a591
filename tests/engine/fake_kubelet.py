"""Stands in for scheduler and kubelet: Pods become Ready, or broken where their image says so."""

from __future__ import annotations

import threading
import urllib.error
from typing import Any, Protocol

NODE = "simulated"
THREAD = "fake-kubelet"


class Api(Protocol):
    def request(self, method: str, path: str, body: Any = None) -> Any: ...


class FakeKubelet:
    """An image `missing/...` cannot be pulled, `crash/...` loops, `slow/...` never gets ready."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    def start(self) -> None:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
        self._api.request("POST", "/api/v1/nodes", node)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            try:
                for pod in self._api.request("GET", "/api/v1/pods")["items"]:
                    self._care_for(pod)
            except (OSError, urllib.error.HTTPError):
                # the test has stopped the API server, or a Pod vanished meanwhile
                continue

    def _care_for(self, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        if "deletionTimestamp" in meta:
            self._api.request("DELETE", path, {"gracePeriodSeconds": 0})
        elif self._unbound_claims(pod):
            self._set_status(path, pod, _unschedulable())
        elif not pod["spec"].get("nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": meta["name"]}}
            self._api.request("POST", f"{path}/binding", {**body, "target": target})
        else:
            self._set_status(path, pod, _status(pod))

    def _unbound_claims(self, pod: dict[str, Any]) -> bool:
        space = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes", []):
            name = volume.get("persistentVolumeClaim", {}).get("claimName")
            path = f"/api/v1/namespaces/{space}/persistentvolumeclaims/{name}"
            if name and self._api.request("GET", path)["status"].get("phase") != "Bound":
                return True
        return False

    def _set_status(self, path: str, pod: dict[str, Any], status: dict[str, Any]) -> None:
        if pod.get("status", {}).get("message") != status["message"]:
            self._api.request("PATCH", f"{path}/status", {"status": status})


def _condition(kind: str, holds: bool, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"type": kind, "status": str(holds), "reason": reason, "message": message}


def _unschedulable() -> dict[str, Any]:
    message = "pod has unbound immediate PersistentVolumeClaims"
    scheduled = _condition("PodScheduled", False, "Unschedulable", message)
    return {"phase": "Pending", "message": "unschedulable", "conditions": [scheduled]}


def _status(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = [_container(c) for c in pod["spec"]["containers"]]
    ready = all(status["ready"] for status in statuses)
    done = ready and pod["spec"]["restartPolicy"] != "Always"
    return {
        "phase": "Succeeded" if done else "Running" if ready else "Pending",
        "message": "done" if done else "ready" if ready else "broken",
        "podIP": "10.244.0.7",
        "podIPs": [{"ip": "10.244.0.7"}],
        "conditions": [
            _condition("PodScheduled", True),
            _condition("Ready", ready and not done),
            _condition("ContainersReady", ready and not done),
        ],
        "containerStatuses": statuses,
    }


def _container(container: dict[str, Any]) -> dict[str, Any]:
    image = container["image"]
    status = {
        "name": container["name"],
        "image": image,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"running": {}},
        "lastState": {},
    }
    if image.startswith("missing/"):
        message = f'failed to resolve reference "{image}": not found'
        return {**status, "state": {"waiting": {"reason": "ErrImagePull", "message": message}}}
    if image.startswith("crash/"):
        ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
        held = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
        return {**status, "restartCount": 4, "state": held, "lastState": ended}
    return status if image.startswith("slow/") else {**status, "ready": True}
