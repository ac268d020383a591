"""Runs a CronJob of the platform now, waits for it, and reads the JSON that it printed."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.kube import Cluster
from mlops_infra.kube.objects import holds, metadata, name_of
from mlops_infra.kube.reading import pods

PATIENCE = 300.0
"""Seconds for one run, its Pod's start included."""

_PERIOD, _SECONDS, _LINES = 1.0, 15.0, 200
_NAME = 43
"""Letters of a CronJob's name before its hash: Kubernetes takes 52."""


def cron_job(*parts: str) -> str:
    """Name of a CronJob that chart `lifecycle` makes: charts/lifecycle/templates/_jobs.tpl."""
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
    return f"{'-'.join(parts)[:_NAME].removesuffix('-')}-{digest}"


class JobRuns:
    """The CronJobs of the cluster that a kubeconfig names."""

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context

    def run(self, namespace: str, cron_job: str, *more: str) -> dict[str, Any]:
        """Start a Job from the CronJob's template and return the last JSON document of its log.

        Args:
            namespace: of the CronJob.
            cron_job: its name.
            more: arguments added to its command.

        Raises:
            InputError: the kubeconfig cannot be used.
            OperationFailed: no such CronJob, or its run fails or takes too long.
        """
        jobs = f"/apis/batch/v1/namespaces/{namespace}"
        made = _job(self._cluster.get(f"{jobs}/cronjobs/{cron_job}"), more)
        name = made["metadata"]["name"]
        self._cluster.send("POST", f"{jobs}/jobs", body=made)
        good = self._wait(namespace, name)
        log = self._log(namespace, name)
        if not good:
            raise OperationFailed(
                f"Job {namespace}/{name} failed: {_last(log)}",
                where=f"CronJob {cron_job}",
                hint=f"kubectl -n {namespace} logs job/{name}",
            )
        self._cluster.send("DELETE", f"{jobs}/jobs/{name}", {"propagationPolicy": "Background"})
        found = _document(log)
        if more and not found:
            raise OperationFailed(f"Job {namespace}/{name} printed no result: {_last(log)}")
        return found

    def _wait(self, namespace: str, name: str) -> bool:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            job = self._cluster.get(f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
            if (job.get("status") or {}).get("succeeded"):
                return True
            if holds(job, "Failed"):
                return False
            time.sleep(_PERIOD)
        raise OperationFailed(
            f"Job {namespace}/{name} has not ended within {PATIENCE:.0f} s",
            hint=f"kubectl -n {namespace} describe job {name}",
        )

    def _log(self, namespace: str, job: str) -> str:
        found = pods(self._cluster, namespace, {"batch.kubernetes.io/job-name": job})
        if not found:
            return ""
        newest = max(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        container = newest["spec"]["containers"][0]["name"]
        return self._cluster.log(namespace, name_of(newest), container, lines=_LINES)

    @cached_property
    def _cluster(self) -> Cluster:
        return Cluster.open(self._kubeconfig, self._context, seconds=_SECONDS)


def _job(cron_job: dict[str, Any], more: Sequence[str]) -> dict[str, Any]:
    """A Job from the CronJob's template, as `kubectl create job --from` makes it."""
    template = cron_job["spec"]["jobTemplate"]
    template["spec"]["template"]["spec"]["containers"][0].setdefault("command", []).extend(more)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{name_of(cron_job)[:50]}-{secrets.token_hex(4)}",
            "labels": metadata(template).get("labels") or {},
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        },
        "spec": template["spec"],
    }


def _document(log: str) -> dict[str, Any]:
    """The last JSON object of a log that takes more than a line; empty where there is none.

    Progress is in the same log, one object a line: a Pod's log does not tell stderr from stdout.
    """
    lines = log.splitlines()
    for start in range(len(lines) - 1, -1, -1):
        if lines[start] == "{":
            ends = next((i for i in range(start, len(lines)) if lines[i] == "}"), start)
            try:
                return dict(json.loads("\n".join(lines[start : ends + 1])))
            except ValueError:
                continue  # progress was written in between
    return {}


def _last(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
