"""Serves model versions by KServe: an InferenceService for each, in the tenant's namespace.

A version's InferenceService is never turned into another version's: the old one goes on answering
until the new one is Ready, and going back is a matter of routes alone.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.services.kubernetes_objects import Cluster, Kind
from mlops_infra.lifecycle.serving.pod_faults import PodFaults
from mlops_infra.naming import fitted

INFERENCE_SERVICE = Kind("serving.kserve.io", "v1beta1", "inferenceservices")
LABELS = {"app.kubernetes.io/managed-by": "mlops-infra", "mlops-infra.dev/served-by": "promotion"}
_NAME_MAX = 40  # KServe appends `-predictor` and the namespace, and Services end at 63
_POLL_SECONDS = 1.0
_REQUESTS, _LIMITS = {"cpu": "100m", "memory": "512Mi"}, {"cpu": "1", "memory": "1Gi"}
_RESOURCES = {"requests": _REQUESTS, "limits": _LIMITS}
_UID = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@dataclass(frozen=True, slots=True)
class Scaling:
    """How many Pods, and when there are more."""

    least: int = 1
    most: int = 1
    cpu_percent: int = 70
    """Of the requested CPU; more Pods are started above it."""

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise InputError(f"{self.least} to {self.most} Pods cannot be", hint="1 or more")


@dataclass(frozen=True, slots=True)
class Service:
    """A model version as it is to be served."""

    tenant: str
    model: str
    version: str
    storage: str
    """URI of its files."""
    scaling: Scaling = field(default_factory=Scaling)
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _RESOURCES)

    @property
    def namespace(self) -> str:
        """The tenant's namespace."""
        return f"tenant-{self.tenant}"

    @property
    def name(self) -> str:
        """Name of the object: model and version, as a DNS label."""
        return server_name(self.model, self.version)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a served version answers, inside of the cluster."""

    url: str
    """Base URL without `/v2`."""
    name: str
    """What the server calls the model."""


Alive = Callable[[], None]
"""Called while waiting; raises to stop."""


class CannotServe(OperationFailed):
    """A version's server does not start; the cluster itself works."""


class Serving(Protocol):
    """A way to serve models."""

    def deploy(self, service: Service) -> None:
        """Make or correct the object; returns at once."""

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        """Wait until it answers.

        Raises:
            CannotServe: it cannot, with the reason that its Pods give.
        """

    def delete(self, tenant: str, name: str) -> bool:
        """Take it away; whether it was there."""

    def deployed(self, tenant: str, model: str) -> list[str]:
        """Names of the objects of one model."""


class KServe:
    """Serves by InferenceServices in Standard mode, in the runtime `kserve-mlserver`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def deploy(self, service: Service) -> None:
        """Make or correct the InferenceService; returns at once."""
        self._cluster.apply(INFERENCE_SERVICE, service.namespace, inference_service(service))

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        """Wait for the condition Ready; a Pod that cannot start ends the wait early."""
        until = time.monotonic() + seconds
        why = "it has no status yet"
        selector = f"serving.kserve.io/inferenceservice={service.name}"
        faults = PodFaults(self._cluster, service.namespace, selector)
        while time.monotonic() < until:
            alive()
            found = self._cluster.get(INFERENCE_SERVICE, service.namespace, service.name)
            if found is None:
                raise CannotServe(
                    "the InferenceService was deleted meanwhile", where=_where(service)
                )
            if is_ready(found):
                return self.address(service)
            why = _unready(found)
            if broken := faults.look():
                raise CannotServe(
                    f"{service.name} cannot start: {broken[0]}", where=_where(service)
                )
            time.sleep(_POLL_SECONDS)
        raise CannotServe(
            f"{service.name} is not Ready after {seconds:g} s: {why}", where=_where(service)
        )

    def address(self, service: Service) -> Address:
        """Its Service in the cluster; needs no ingress."""
        host = f"{service.name}-predictor.{service.namespace}.svc.cluster.local"
        return Address(f"http://{host}", service.name)

    def delete(self, tenant: str, name: str) -> bool:
        """Take the InferenceService away; whether it was there."""
        return self._cluster.delete(INFERENCE_SERVICE, f"tenant-{tenant}", name)

    def deployed(self, tenant: str, model: str) -> list[str]:
        """Names of the InferenceServices of one model."""
        selector = f"mlops-infra.dev/model={label_of(model)}"
        found = self._cluster.list(INFERENCE_SERVICE, f"tenant-{tenant}", selector)
        return sorted(each["metadata"]["name"] for each in found)


def inference_service(service: Service) -> dict[str, Any]:
    """The InferenceService of one model version."""
    scaling = service.scaling
    fixed = scaling.least == scaling.most
    autoscaler = "none" if fixed else "hpa"
    scale = {} if fixed else {"scaleMetric": "cpu", "scaleTarget": scaling.cpu_percent}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "labels": labels(service),
            "annotations": {
                "serving.kserve.io/deploymentMode": "Standard",
                "serving.kserve.io/autoscalerClass": autoscaler,
                "mlops-infra.dev/model": f"{service.model}/{service.version}",
            },
        },
        "spec": {
            "predictor": {
                "serviceAccountName": "serving",
                "automountServiceAccountToken": False,
                "securityContext": _UID,
                "minReplicas": scaling.least,
                "maxReplicas": scaling.most,
                **scale,
                "model": {
                    "modelFormat": {"name": "mlflow"},
                    "protocolVersion": "v2",
                    # The controller finds MLServer's class for the format under this name alone.
                    "runtime": "kserve-mlserver",
                    "storageUri": service.storage,
                    "resources": {kind: dict(each) for kind, each in service.resources.items()},
                },
            }
        },
    }


def labels(service: Service) -> dict[str, str]:
    """What every object that serves a model carries."""
    return {
        **LABELS,
        "mlops-infra.dev/tenant": service.tenant,
        "mlops-infra.dev/model": label_of(service.model),
        "mlops-infra.dev/version": service.version,
    }


def server_name(model: str, version: str) -> str:
    """Name of the object that serves one version; different models never share one."""
    plain = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-") or "model"
    if not plain[0].isalpha():
        plain = f"m-{plain}"
    if plain != model:  # a hash, so that `a_b` and `a-b` stay two
        plain = f"{plain[: _NAME_MAX - 9]}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"
    return f"{fitted(plain, _NAME_MAX - len(version) - 2)}-v{version}"


def label_of(model: str) -> str:
    """The model's name as the value of a label."""
    return server_name(model, "0").removesuffix("-v0")


def is_ready(found: Mapping[str, Any]) -> bool:
    """Whether the condition Ready holds for what was asked last."""
    status = found.get("status") or {}
    seen = status.get("observedGeneration")
    if seen is not None and seen < found["metadata"].get("generation", 0):
        return False
    return any(
        each.get("type") == "Ready" and each.get("status") == "True"
        for each in status.get("conditions") or ()
    )


def _unready(found: Mapping[str, Any]) -> str:
    status = found.get("status") or {}
    failed = (status.get("modelStatus") or {}).get("lastFailureInfo") or {}
    if failed.get("message"):
        return str(failed["message"])
    told = [
        f"{each.get('type')}: {each.get('message') or each.get('reason') or 'not yet'}"
        for each in status.get("conditions") or ()
        if each.get("status") != "True"
    ]
    return "; ".join(told) or "the controller has not processed it"


def _where(service: Service) -> str:
    return f"InferenceService {service.namespace}/{service.name}"
