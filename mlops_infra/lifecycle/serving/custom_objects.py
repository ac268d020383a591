"""Serving by custom objects of a cluster: what KServe and Seldon have in common."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlops_infra import contract
from mlops_infra.kube.objects import holds
from mlops_infra.kube.patience import Patience
from mlops_infra.kube.verdict import Trouble
from mlops_infra.lifecycle.services.kubernetes_objects import POD, Cluster, Kind
from mlops_infra.lifecycle.serving.interface import (
    Address,
    Alive,
    CannotServe,
    Scaling,
    Service,
    label_of,
)
from mlops_infra.lifecycle.serving.pod_faults import PodFaults

_POLL_SECONDS = 1.0
_FAILED_SECONDS = 10.0
"""How long a controller may call an object failed: what it saw of it before is a failure too, and
what it is about to try again."""


@dataclass(frozen=True, slots=True)
class State:
    """What an object's status tells."""

    ready: bool
    reason: str = ""
    """Why it is not ready."""
    failed: bool = False
    """Whether its controller calls it failed."""


class CustomObjectServing(ABC):
    """A `Serving` with one custom object for each version, which its own controller follows."""

    kind: ClassVar[Kind]
    title: ClassVar[str]
    """The kind's name in messages."""
    pod_label: ClassVar[str]
    """Label of the Pods; its value is the object's name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @abstractmethod
    def manifest(self, service: Service) -> dict[str, Any]:
        """The object of one model version."""

    @abstractmethod
    def state(self, found: Mapping[str, Any]) -> State:
        """What the object says of itself."""

    @abstractmethod
    def scaling_in(self, found: Mapping[str, Any]) -> Scaling:
        """How the object scales; raises `KeyError`, `IndexError` or `TypeError` without it."""

    @abstractmethod
    def workload(self, service: Service) -> str:
        """Name of the Deployment that its controller makes."""

    @abstractmethod
    def address(self, service: Service) -> Address:
        """Where it answers in the cluster; needs no ingress."""

    def deploy(self, service: Service) -> None:
        """Make or correct the object; returns at once."""
        self._cluster.apply(self.kind, service.namespace, self.manifest(service))

    def wait(self, service: Service, seconds: float, alive: Alive) -> Address:
        """Wait until it and its Pods are ready; a Pod that cannot start ends the wait early.

        A Pod is ready once its server has loaded the model: its readiness probe asks for the model.
        The object alone may say so earlier, or still say so of Pods that are gone.

        Raises:
            CannotServe: it cannot, with the reason that its Pods give.
        """

        until = time.monotonic() + seconds
        where = f"{self.title} {service.namespace}/{service.name}"
        pods = f"{self.pod_label}={service.name}"
        faults = PodFaults(self._cluster, service.namespace, pods, self.workload(service))
        patience = Patience()
        reason = "it has no status yet"
        while time.monotonic() < until:
            alive()
            found = self._cluster.get(self.kind, service.namespace, service.name)
            if found is None:
                raise CannotServe(f"the {self.title} was deleted meanwhile", where=where)
            state = self.state(found)
            if state.ready:
                ready = sum(holds(pod, "Ready") for pod in self._pods(service.namespace, pods))
                if ready >= service.scaling.least:
                    return self.address(service)
                told = f"{ready} of {service.scaling.least} Pods have loaded the model"
                state = State(ready=False, reason=told)
            failure = [Trouble("failed", state.reason, _FAILED_SECONDS)] if state.failed else []
            if patience.over(failure):
                raise CannotServe(f"{service.name} failed: {state.reason}", where=where)
            reason = state.reason
            if broken := faults.look():
                raise CannotServe(f"{service.name} cannot start: {broken[0]}", where=where)
            time.sleep(_POLL_SECONDS)
        raise CannotServe(f"{service.name} is not ready after {seconds:g} s: {reason}", where=where)

    def _pods(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """Those that are not on their way out."""
        found = self._cluster.list(POD, namespace, selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def scaling(self, tenant: str, name: str) -> Scaling | None:
        """How a server scales now; None where it is not there or does not say."""
        found = self._cluster.get(self.kind, contract.tenant_namespace(tenant), name)
        try:
            return self.scaling_in(found) if found is not None else None
        except (KeyError, IndexError, TypeError):
            return None  # a person has changed it

    def delete(self, tenant: str, name: str) -> bool:
        """Take the object away; whether it was there."""
        return self._cluster.delete(self.kind, contract.tenant_namespace(tenant), name)

    def deployed(self, tenant: str, model: str) -> list[str]:
        """Names of the objects of one model."""
        selector = f"{contract.MODEL_LABEL}={label_of(model)}"
        found = self._cluster.list(self.kind, contract.tenant_namespace(tenant), selector)
        return sorted(each["metadata"]["name"] for each in found)
