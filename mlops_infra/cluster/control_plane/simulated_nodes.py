"""A node that only says that it runs, and what kwok makes of the Pods on it.

kwok carries no behaviour of its own: `Stage` objects tell it which status to write when. These are
the fewest that keep a node Ready, bring every Pod to Ready at once, finish Jobs and delete Pods.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_infra import contract

NOTICE = "Pods are simulated: no container runs, their software is not tested"
SIMULATED = contract.SIMULATED_LABEL
"""Annotation and label of a simulated node; beside real nodes its taint too."""
MANAGED = "kwok.x-k8s.io/node"
"""Annotation of the nodes that kwok plays where it does not play all."""
BESIDE = "simulated-0"
"""Name of the one simulated node in a cluster whose own node is real."""

_NODE = """
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: {{ .reason | Quote }},
   message: "simulated", lastHeartbeatTime: {{ $now | Quote }},
   lastTransitionTime: {{ $now | Quote }}}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
nodeInfo:
  architecture: amd64
  bootID: simulated
  containerRuntimeVersion: {{ printf "kwok://%s" Version | Quote }}
  kernelVersion: simulated
  kubeProxyVersion: ""
  kubeletVersion: {{ printf "simulated-by-kwok-%s" Version | Quote }}
  machineID: simulated
  operatingSystem: linux
  osImage: simulated
  systemUUID: simulated
phase: Running
"""

_READY = """
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $kind := list "Initialized" "ContainersReady" "Ready" }}
- {type: {{ $kind | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: simulated
  restartCount: 0
  ready: true
  state:
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }},
                 finishedAt: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: simulated
  restartCount: 0
  ready: true
  started: true
  state:
    running: {startedAt: {{ $now | Quote }}}
{{ end }}
{{ $own := or .spec.hostNetwork false }}
{{ $meta := .metadata }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
{{ with PodIPWith .spec.nodeName $own $meta.uid $meta.name $meta.namespace }}
podIP: {{ . | Quote }}
podIPs: [{ip: {{ . | Quote }}}]
{{ end }}
"""

_FINISHED = """
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: simulated
  restartCount: 0
  ready: false
  started: false
  state:
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }},
                 finishedAt: {{ $now | Quote }}}
{{ end }}
"""

_GOING = ".metadata.deletionTimestamp"
_IS_READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'


def stages() -> list[dict[str, Any]]:
    """The `Stage` objects of kwok's configuration, one behaviour each."""
    alive = (_GOING, "DoesNotExist")
    return [
        _stage("node-ready", "Node", [(_IS_READY, "NotIn", "True")], {"statusTemplate": _NODE}),
        _stage(
            "pod-ready",
            "Pod",
            [alive, (".status.phase", "In", "Pending"), (_IS_READY, "NotIn", "True")],
            {"statusTemplate": _READY},
        ),
        _stage(
            "job-finished",
            "Pod",
            [
                alive,
                (".status.phase", "In", "Running"),
                (".metadata.ownerReferences.[].kind", "In", "Job"),
            ],
            {"statusTemplate": _FINISHED},
        ),
        _stage("pod-deleted", "Pod", [(_GOING, "Exists")], {"delete": True}),
    ]


def _stage(
    name: str, kind: str, when: list[tuple[str, ...]], then: dict[str, Any]
) -> dict[str, Any]:
    expressions = [
        {"key": key, "operator": operator, **({"values": values} if values else {})}
        for key, operator, *values in when
    ]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": expressions},
            "next": then,
        },
    }


def write_stages(file: Path) -> None:
    """Write kwok's configuration: YAML documents, each of them JSON."""
    documents = (json.dumps(stage, indent=1) for stage in stages())
    file.write_text("\n---\n".join(documents) + "\n", encoding="utf-8")


def is_simulated(node: Mapping[str, Any]) -> bool:
    """Whether a Node object is one that only says that it runs."""
    return bool(node["metadata"].get("annotations", {}).get(SIMULATED) == "true")


def node(name: str, *, beside_real: bool = False) -> dict[str, Any]:
    """The Node object that kwok plays; large enough for everything.

    `beside_real`: it takes only Pods that tolerate being simulated.
    """
    capacity = {"cpu": "32", "memory": "64Gi", "pods": "250", "ephemeral-storage": "512Gi"}
    labels = {"hostname": name, "os": "linux", "arch": "amd64"}
    taint = {"key": SIMULATED, "value": "true", "effect": "NoSchedule"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {MANAGED: "fake", SIMULATED: "true"},
            "labels": {
                **{f"kubernetes.io/{key}": value for key, value in labels.items()},
                SIMULATED: "true",
            },
        },
        "spec": {"taints": [taint]} if beside_real else {},
        "status": {"capacity": capacity, "allocatable": capacity},
    }
