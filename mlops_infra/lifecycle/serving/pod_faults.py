"""Why Pods of a model do not start, when waiting longer will not help."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

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

    def __init__(self, cluster: Cluster, namespace: str, selector: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._selector = selector
        # what was said before this wait began is about an earlier one
        self._since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
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
        owner = f"{self._selector.partition('=')[2]}-"
        events = [
            event
            for event in self._cluster.list(EVENT, self._namespace)
            if event.get("reason") == "FailedCreate"
            and (event.get("involvedObject") or {}).get("kind") == "ReplicaSet"
            and str((event.get("involvedObject") or {}).get("name")).startswith(owner)
            and event_time(event) >= self._since
        ]
        for event in sorted(events, key=event_time)[-1:]:
            yield Trouble("create", str(event.get("message")), 0.0)
