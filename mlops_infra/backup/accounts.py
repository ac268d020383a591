"""Makes the accounts of the stores again: a store on an empty volume knows none of its clients."""

from __future__ import annotations

import secrets
import time
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import Sink, step

TIMEOUT, PATIENCE, PERIOD = 15, 300.0, 1.0
"""Seconds for one request, for one Job, and between two looks."""
_MADE_BY_THE_CLUSTER = ("controller-uid", "job-name")


def make_again(api: Any, stack: str, sink: Sink) -> int:
    """Run the Jobs that make roles, databases, buckets and users once more; how many there are.

    They may run any number of times. The finished ones stay as they are: they belong to the state.

    Raises:
        OperationFailed: one does not succeed; nothing was restored yet.
    """
    from kubernetes import client

    batch = client.BatchV1Api(api)
    found = batch.list_namespaced_job(
        contract.STORES_NAMESPACE,
        label_selector=f"{contract.STACK_LABEL}={stack}",
        _request_timeout=TIMEOUT,
    ).items
    with step(sink, "Creating the stores' accounts", total=len(found), unit="Jobs") as work:
        for job in found:
            work.note(job.metadata.name)
            _run(batch, job)
            work.advance()
    return len(found)


def _run(batch: Any, job: Any) -> None:
    name = f"{job.metadata.name[:50]}-{secrets.token_hex(4)}"
    template = job.spec.template
    template.metadata.labels = {
        key: value
        for key, value in (template.metadata.labels or {}).items()
        if not key.endswith(_MADE_BY_THE_CLUSTER)
    }
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": job.metadata.labels},
        "spec": {"backoffLimit": job.spec.backoff_limit, "template": template},
    }
    batch.create_namespaced_job(contract.STORES_NAMESPACE, body, _request_timeout=TIMEOUT)
    ends = time.monotonic() + PATIENCE
    while not batch.read_namespaced_job_status(name, contract.STORES_NAMESPACE).status.succeeded:
        if time.monotonic() > ends:
            raise OperationFailed(
                f"Job {contract.STORES_NAMESPACE}/{name} does not succeed within {PATIENCE:.0f} s",
                hint=f"kubectl -n {contract.STORES_NAMESPACE} logs job/{name};"
                " then run the command again",
            )
        time.sleep(PERIOD)
    batch.delete_namespaced_job(name, contract.STORES_NAMESPACE, propagation_policy="Background")
