"""Objects that the tests of the embedded cluster put into it, and how they ask what runs there."""

from __future__ import annotations

import socket
import time
from typing import Any

from mlops_infra.cluster.control_plane.simulated_nodes import SIMULATED

POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 999, "fsGroup": 999}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
BUSY = ["sh", "-c", "while :; do :; done"]


def store(image: str) -> list[dict[str, Any]]:
    container = {
        "name": "valkey",
        "image": image,
        "command": ["valkey-server"],
        "args": ["--appendonly", "yes", "--appendfsync", "always", "--protected-mode", "no",
                 "--dir", "/data"],
        "ports": [{"containerPort": 6379}],
        "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 1},
        "resources": {"limits": {"memory": "128Mi", "cpu": "500m"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "securityContext": CONTAINER_SECURITY,
    }  # fmt: skip
    template = {
        "metadata": {"labels": {"app": "store"}},
        "spec": {
            "securityContext": POD_SECURITY,
            "containers": [container],
        },
    }
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    port = {"port": 6379, "nodePort": 30637}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "store"},
         "spec": {"type": "NodePort", "selector": {"app": "store"}, "ports": [port]}},
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "store"},
         "spec": {"serviceName": "store", "replicas": 1, "template": template,
                  "selector": {"matchLabels": {"app": "store"}},
                  "volumeClaimTemplates": [claim]}},
    ]  # fmt: skip


def ask(address: str, port: int, command: str) -> str:
    """One command in Valkey's inline protocol; kube-proxy and policies follow in a moment."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return _ask(address, port, command)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _ask(address: str, port: int, command: str) -> str:
    with socket.create_connection((address, port), timeout=5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(4096).decode()


def server(image: str) -> list[dict[str, Any]]:
    """A Valkey and three who would call it, in a namespace that allows one of them and DNS."""
    every = {"name": "valkey", "image": image, "securityContext": CONTAINER_SECURITY}
    serves = {**every, "command": ["valkey-server", "--protected-mode", "no", "--save", "", "--dir",
                                   "/tmp"],
              "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 1}}  # fmt: skip
    waits = {**every, "command": ["sh", "-c", "trap exit TERM; sleep 3600 & wait"]}
    dns = {"ports": [{"port": port, "protocol": "UDP"} for port in (53, 1053)]}
    friend = {"podSelector": {"matchLabels": {"app": "friend"}}}
    called = {"podSelector": {"matchLabels": {"app": "server"}}}
    ports = [{"port": 6379}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "walls"}},
        policy("deny", {}, ["Ingress", "Egress"]),
        policy("dns", {}, ["Egress"], egress=[dns]),
        policy("server", {"app": "server"}, ["Ingress"], ingress=[{"from": [friend],
                                                                   "ports": ports}]),
        policy("friend", {"app": "friend"}, ["Egress"], egress=[{"to": [called], "ports": ports}]),
        _pod("walls", "server", serves), _pod("walls", "friend", waits),
        _pod("walls", "stranger", waits), _pod("default", "visitor", waits),
        {"apiVersion": "v1", "kind": "Service",
         "metadata": {"name": "server", "namespace": "walls"},
         "spec": {"type": "NodePort", "selector": {"app": "server"},
                  "ports": [{"port": 6379, "nodePort": 30638}]}},
    ]  # fmt: skip


def at_once(image: str, forbidden: str) -> list[dict[str, Any]]:
    """Pods that call somebody with their first breath: one who must not, one who may."""
    tries = f"for n in $(seq 20); do nc -w 1 {forbidden} 6379 && echo leak; sleep 0.05; done"
    found = []
    for name, line in (("spy", tries), ("hasty", "nc -w 4 server 6379 && echo in")):
        script = f"exec </dev/null 2>/dev/null; {line}; echo end"
        container = {"name": "main", "image": image, "command": ["sh", "-c", script],
                     "securityContext": CONTAINER_SECURITY}  # fmt: skip
        pod = _pod("walls", name, container)
        pod["spec"]["restartPolicy"] = "Never"
        found.append(pod)
    found[1]["metadata"]["labels"]["app"] = "friend"
    return found


def policy(name: str, chosen: dict[str, str], types: list[str], **rules: Any) -> dict[str, Any]:
    """A NetworkPolicy in the namespace `walls`."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "walls"},
        "spec": {"podSelector": {"matchLabels": chosen}, "policyTypes": types, **rules},
    }


def _pod(namespace: str, name: str, container: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"securityContext": POD_SECURITY, "containers": [container],
                 "terminationGracePeriodSeconds": 1},
    }  # fmt: skip


def busy(image: str) -> list[dict[str, Any]]:
    """A Deployment that uses all the CPU it may have, and an autoscaler that must notice."""
    target = {"type": "Utilization", "averageUtilization": 50}
    container = {
        "name": "busy", "image": image, "command": BUSY, "securityContext": CONTAINER_SECURITY,
        "resources": {"requests": {"cpu": "20m"}, "limits": {"cpu": "60m", "memory": "32Mi"}},
    }  # fmt: skip
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0,
            "securityContext": POD_SECURITY}  # fmt: skip
    return [
        _deployment("busy", spec),
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "busy"},
         "spec": {"minReplicas": 1, "maxReplicas": 2,
                  "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment",
                                     "name": "busy"},
                  "metrics": [{"type": "Resource",
                               "resource": {"name": "cpu", "target": target}}]}},
    ]  # fmt: skip


def simulated() -> list[dict[str, Any]]:
    """A Deployment and a Job whose image is nowhere to be had."""
    spec: dict[str, Any] = {
        "containers": [{"name": "main", "image": "registry.invalid/none:1"}],
        "nodeSelector": {SIMULATED: "true"},
        "tolerations": [{"key": SIMULATED, "value": "true", "effect": "NoSchedule"}],
    }
    job = {"template": {"spec": {**spec, "restartPolicy": "Never"}}}
    return [
        _deployment("played", spec),
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "played"}, "spec": job},
    ]


def _deployment(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": spec}},
    }  # fmt: skip
