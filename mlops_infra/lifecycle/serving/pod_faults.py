"""Why Pods of a model do not start, when waiting longer will not help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_infra.kube.patience import Patience
from mlops_infra.kube.pods import troubles
from mlops_infra.kube.reading import event_time
from mlops_infra.kube.verdict import Trouble
from mlops_infra.lifecycle.services.kubernetes_objects import EVENT, POD, Cluster

_CRASHES = 2
"""Restarts after which a crash counts as the way it is: nothing that a model needs comes later."""
_UNSCHEDULABLE = "Unschedulable"
"""A cluster may grow for a model: that takes minutes and ends well."""


class PodFaults:
    """Looks at the Pods of one model again and again, from the moment it is made."""

    def __init__(self, cluster: Cluster, namespace: str, selector: str, workload: str) -> None:
        """Note what was said before.

        Args:
            cluster: where they are.
            namespace: the tenant's.
            selector: labels of the Pods.
            workload: name of their Deployment.
        """
        self._cluster = cluster
        self._namespace = namespace
        self._selector = selector
        self._workload = workload
        # What was said before this wait began is about an earlier one. Events are compared and not
        # their times: the clock of this machine may be another than the cluster's.
        self._before = {_said(event) for event in self._refusals()}
        self._patience = Patience()

    def look(self) -> list[str]:
        """What keeps the Pods from starting, one sentence each; empty while there is hope."""
        return [trouble.message for trouble in self._patience.over(self._troubles())]

    def _troubles(self) -> Iterator[Trouble]:
        pods = self._cluster.list(POD, self._namespace, self._selector)
        for pod in pods:
            found = troubles(pod, crashes=_CRASHES)
            yield from (each for each in found if each.reason != _UNSCHEDULABLE)
        if not pods:
            yield from self._refused()

    def _refused(self) -> Iterator[Trouble]:
        """Pods that were never made: a quota or Pod Security said no to the ReplicaSet."""
        new = [event for event in self._refusals() if _said(event) not in self._before]
        for event in sorted(new, key=event_time)[-1:]:
            yield Trouble("create", str(event.get("message")), 0.0)

    def _refusals(self) -> list[dict[str, Any]]:
        return [
            event
            for event in self._cluster.list(EVENT, self._namespace)
            if event.get("reason") == "FailedCreate"
            and (event.get("involvedObject") or {}).get("kind") == "ReplicaSet"
            # a ReplicaSet is called after its Deployment, with one more part
            and str((event.get("involvedObject") or {}).get("name")).rpartition("-")[0]
            == self._workload
        ]


def _said(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """What changes when an event is told again."""
    name = str((event.get("metadata") or {}).get("name"))
    return name, str(event.get("count")), event_time(event)
