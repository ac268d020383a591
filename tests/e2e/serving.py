"""Steps of a test that serves a model by the real KServe; for the one run of the whole platform."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_infra import toolchain
from mlops_infra.lifecycle.services.kubernetes_objects import POD, KubernetesCluster
from mlops_infra.lifecycle.serving.interface import Service
from mlops_infra.lifecycle.serving.kserve import (
    INFERENCE_SERVICE,
    KServe,
    inference_service,
    is_ready,
)

NEVER_ALIVE: Callable[[], None] = lambda: None  # noqa: E731


@dataclass(frozen=True)
class Served:
    """One InferenceService of a tenant, seen from the test."""

    kubeconfig: Path
    service: Service

    @property
    def cluster(self) -> KubernetesCluster:
        """The objects of the cluster."""
        return KubernetesCluster(self.kubeconfig)

    def deploy(self, seconds: float = 240) -> float:
        """Apply it and wait for Ready; how many seconds that took."""
        started, kserve = time.monotonic(), KServe(self.cluster)
        kserve.deploy(self.service)
        kserve.wait(self.service, seconds, NEVER_ALIVE)
        return time.monotonic() - started

    def restore(self, seconds: float = 120) -> None:
        """Bring it back to what is wanted; Pods of the broken state do not count."""
        KServe(self.cluster).deploy(self.service)
        until = time.monotonic() + seconds
        while len(self.pods()) != 1 or not is_ready(self._object()):
            assert time.monotonic() < until, "it is not Ready again"
            time.sleep(0.5)

    def _object(self) -> dict[str, Any]:
        found = self.cluster.get(INFERENCE_SERVICE, self.service.namespace, self.service.name)
        assert found is not None
        return found

    def pods(self) -> list[dict[str, Any]]:
        """Its Pods that are not on their way out."""
        selector = f"serving.kserve.io/inferenceservice={self.service.name}"
        found = self.cluster.list(POD, self.service.namespace, selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def break_storage(self, uri: str) -> None:
        """Point it to files that are not there."""
        body = inference_service(self.service)
        body["spec"]["predictor"]["model"]["storageUri"] = uri
        self.cluster.apply(INFERENCE_SERVICE, self.service.namespace, body)

    @contextmanager
    def forwarded(self) -> Iterator[str]:
        """Its base URL on this machine, through kubectl."""
        kubectl = toolchain.ensure(["kubectl"], lambda _: None)["kubectl"].path
        command = [
            *(str(kubectl), "--kubeconfig", str(self.kubeconfig), "port-forward"),
            *("--namespace", self.service.namespace),
            *(f"service/{self.service.name}-predictor", ":80"),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
            try:
                assert forward.stdout is not None
                line = forward.stdout.readline()
                yield f"http://{line.split(' -> ')[0].removeprefix('Forwarding from ')}"
            finally:
                forward.terminate()

    def infer(self, url: str, inputs: list[dict[str, Any]]) -> list[float]:
        """The answers of the Open Inference Protocol; see `columns` and `tensor`."""
        request = urllib.request.Request(  # noqa: S310
            f"{url}/v2/models/{self.service.name}/infer",
            data=json.dumps({"inputs": inputs}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found: list[float] = json.load(answer)["outputs"][0]["data"]
        return found

    def gone(self, seconds: float = 60) -> None:
        """Delete it and wait until its Pods are gone too."""
        KServe(self.cluster).delete(self.service.tenant, self.service.name)
        until = time.monotonic() + seconds
        while self.cluster.get(
            INFERENCE_SERVICE, self.service.namespace, self.service.name
        ) or self.cluster.list(
            POD,
            self.service.namespace,
            f"serving.kserve.io/inferenceservice={self.service.name}",
        ):
            assert time.monotonic() < until, "the InferenceService or its Pods remain"
            time.sleep(0.5)


def columns(values: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    """Inputs of a model whose signature names its columns."""
    return [
        {"name": name, "shape": [len(each), 1], "datatype": "FP64", "data": each}
        for name, each in values.items()
    ]


def tensor(rows: list[list[float]]) -> list[dict[str, Any]]:
    """Inputs of a model whose signature is one tensor."""
    flat = [value for row in rows for value in row]
    shape = [len(rows), len(rows[0])]
    return [{"name": "input-0", "shape": shape, "datatype": "FP64", "data": flat}]


def hardened(pod: Mapping[str, Any]) -> list[str]:
    """What is not as Pod Security `restricted` and a read-only root want it."""
    found = []
    for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        security = container.get("securityContext") or {}
        wanted = {
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        found += [
            f"{container['name']}: {key} is {security.get(key)}"
            for key, value in wanted.items()
            if security.get(key) != value
        ]
    if any(volume["name"].startswith("kube-api-access") for volume in pod["spec"]["volumes"]):
        found.append("a token of the Kubernetes API is mounted")
    return found
