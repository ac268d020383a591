"""Stops what works with the stores while they are replaced, and starts it again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mlops_infra import contract
from mlops_infra.backup import accounts
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

TIMEOUT, PATIENCE = 15, 300.0
"""Seconds for one request, and for Pods to go or to come."""

_PERIOD = 0.5


class Clients:
    """The Deployments and StatefulSets of some components of a stack."""

    def __init__(self, api: Any, stack: str, components: Sequence[str]) -> None:
        from kubernetes import client

        self._api, self._stack = api, stack
        self._apps = client.AppsV1Api(api)
        self._core = client.CoreV1Api(api)
        self._selector = (
            f"{contract.STACK_LABEL}={stack},{contract.COMPONENT_LABEL} in ({','.join(components)})"
        )
        self._some = bool(components)

    @contextmanager
    def stopped(self, sink: Sink) -> Iterator[None]:
        """Scale them to nothing for the block, and make their accounts in the stores again.

        They start again only if the block succeeds.

        After a failed block the stores may be half old, half new: nothing may write into that. The
        marks stay, so that the same restore, once it succeeds, starts them as they were.

        Raises:
            OperationFailed: Pods do not end, or do not become Ready again.
        """
        if self._some:
            self._stop(sink)
        accounts.make_again(self._api, self._stack, sink)
        yield
        if self._some:
            self._start(sink)

    def _stop(self, sink: Sink) -> None:
        with step(sink, "Stopping the stores' clients") as work:
            for each, patch in self._workloads():
                held = (each.metadata.annotations or {}).get(contract.REPLICAS_ANNOTATION)
                number = held or str(each.spec.replicas)
                patch(
                    each,
                    {
                        "metadata": {"annotations": {contract.REPLICAS_ANNOTATION: number}},
                        "spec": {"replicas": 0},
                    },
                )
            self._until(lambda: not self._pods(), "Pods of the stores' clients do not end")
            work.end("done")

    def _start(self, sink: Sink) -> None:
        with step(sink, "Starting the stores' clients") as work:
            for each, patch in self._workloads():
                held = (each.metadata.annotations or {}).get(contract.REPLICAS_ANNOTATION)
                if held is not None:
                    body: dict[str, Any] = {
                        "metadata": {"annotations": {contract.REPLICAS_ANNOTATION: None}}
                    }
                    patch(each, {**body, "spec": {"replicas": int(held)}})
            self._until(self._all_ready, "the stores' clients do not become Ready")
            work.end("done")

    def _workloads(self) -> Iterator[tuple[Any, Any]]:
        apps = self._apps
        kinds = (
            (apps.list_deployment_for_all_namespaces, apps.patch_namespaced_deployment),
            (apps.list_stateful_set_for_all_namespaces, apps.patch_namespaced_stateful_set),
        )
        for listing, patching in kinds:

            def patch(each: Any, body: dict[str, Any], patching: Any = patching) -> None:
                meta = each.metadata
                patching(meta.name, meta.namespace, body, _request_timeout=TIMEOUT)

            for each in listing(label_selector=self._selector, _request_timeout=TIMEOUT).items:
                yield each, patch

    def _pods(self) -> list[str]:
        found = self._core.list_pod_for_all_namespaces(
            label_selector=self._selector, _request_timeout=TIMEOUT
        ).items
        return [p.metadata.name for p in found if p.status.phase not in {"Succeeded", "Failed"}]

    def _all_ready(self) -> bool:
        return all(
            (each.status.ready_replicas or 0) >= (each.spec.replicas or 0)
            and each.status.observed_generation == each.metadata.generation
            for each, _ in self._workloads()
        )

    def _until(self, done: Any, what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > ends:
                raise OperationFailed(
                    f"{what} within {PATIENCE:.0f} s",
                    where=self._selector,
                    hint="see why: mlops-infra status -s STACK; then run the command again",
                )
            time.sleep(_PERIOD)
