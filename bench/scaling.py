"""Times the scale-out of a served model: from the first request of a load to a second Pod."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.commands import MeasureError
from bench.load import Asked, Load, load
from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.promotion.access import Access
from mlops_infra.lifecycle.services.kubernetes_objects import POD, Kind
from mlops_infra.lifecycle.serving.interface import Scaling, Service
from mlops_infra.lifecycle.serving.kserve import KServe

WAIT_SECONDS = 240.0
"""For the second Pod."""
CALM_SECONDS = 480.0
"""Before: a Pod's start is load too, and what an autoscaler wants, it wants for five minutes."""
AUTOSCALER = Kind("autoscaling", "v2", "horizontalpodautoscalers")


def scaled(
    access: Access, model: str, version: str, through: Asked, lanes: int
) -> tuple[dict[str, float], Load]:
    """Allow a second Pod, load the first one, and time what happens.

    Raises:
        MeasureError: no second Pod comes.
    """
    parts = access.parts(model)
    storage = parts.publisher.publish(access.registry.version(model, version))
    service = Service(access.tenant, model, version, storage, Scaling(1, 2))
    KServe(access.cluster).deploy(service)
    watch = _Watch(access, service)
    watch.until_it_measures()
    with watch.running():
        told = load(through, lanes, WAIT_SECONDS, over=lambda: watch.ready is not None)
    if watch.wanted is None or watch.ready is None:
        raise MeasureError(f"no second Pod of {service.name} within {WAIT_SECONDS:g} s")
    figures = {
        "scale_wanted": watch.wanted,
        "scale_ready": watch.ready,
        "scale_errors": told.error_share * 100,
    }
    return figures, told


class _Watch:
    """Looks at autoscaler and Pods twice a second; times are seconds since its start."""

    def __init__(self, access: Access, service: Service) -> None:
        self._cluster = access.cluster
        self._service = service
        self.wanted: float | None = None
        self.ready: float | None = None

    def until_it_measures(self) -> None:
        """Wait until the autoscaler knows what the Pod uses, and wants one of it."""
        until = time.monotonic() + CALM_SECONDS
        while True:
            status = self._autoscaler()
            if (
                status.get("currentMetrics")
                and status.get("desiredReplicas") == 1
                and self._ready_pods() == 1  # the one of before has left
            ):
                return
            if time.monotonic() > until:
                raise MeasureError(
                    f"the autoscaler of {self._service.name} has no figures, or no rest: {status}"
                )
            time.sleep(1)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look, as long as the context lasts."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, over: threading.Event) -> None:
        started = time.monotonic()
        while not over.wait(0.5) and self.ready is None:
            try:
                wanted, ready = self._autoscaler().get("desiredReplicas", 0), self._ready_pods()
            except OperationFailed:
                continue  # the machine is under load on purpose; asked again at once
            passed = time.monotonic() - started
            if self.wanted is None and wanted > 1:
                self.wanted = passed
            if self.wanted is not None and ready > 1:
                self.ready = passed

    def _autoscaler(self) -> dict[str, Any]:
        name = f"{self._service.name}-predictor"
        found = self._cluster.get(AUTOSCALER, self._service.namespace, name) or {}
        return dict(found.get("status") or {})

    def _ready_pods(self) -> int:
        selector = f"serving.kserve.io/inferenceservice={self._service.name}"
        found = self._cluster.list(POD, self._service.namespace, selector)
        pods = [each for each in found if "deletionTimestamp" not in each["metadata"]]
        conditions = [each for pod in pods for each in pod["status"].get("conditions") or ()]
        return sum(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
