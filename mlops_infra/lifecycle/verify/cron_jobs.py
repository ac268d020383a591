"""Runs a CronJob of the platform now, waits for it, and reads the JSON that it printed."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlops_infra.errors import OperationFailed

PATIENCE = 300.0
"""Seconds for one run, its Pod's start included."""

_PERIOD, _TIMEOUT, _LINES = 1.0, 15, 200
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
        self._opened: tuple[Any, Any] | None = None

    def run(self, namespace: str, cron_job: str, *more: str) -> dict[str, Any]:
        """Start a Job from the CronJob's template and return the last JSON document of its log.

        Args:
            namespace: of the CronJob.
            cron_job: its name.
            more: arguments added to its command.

        Raises:
            OperationFailed: no such CronJob, or its run fails or takes too long.
        """
        with self._told(f"run CronJob {namespace}/{cron_job}"):
            batch, core = self._clients()
            found = batch.read_namespaced_cron_job(cron_job, namespace, _request_timeout=_TIMEOUT)
            name = f"{cron_job[:50]}-{secrets.token_hex(4)}"
            template = found.spec.job_template
            template.spec.template.spec.containers[0].command.extend(more)
            body = {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {
                    "name": name,
                    "labels": template.metadata.labels if template.metadata else None,
                    "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
                },
                "spec": template.spec,
            }
            batch.create_namespaced_job(namespace, body, _request_timeout=_TIMEOUT)
            good = self._wait(batch, namespace, name)
            log = self._log(core, namespace, name)
            if not good:
                raise OperationFailed(
                    f"Job {namespace}/{name} failed: {_last(log)}",
                    where=f"CronJob {cron_job}",
                    hint=f"kubectl -n {namespace} logs job/{name}",
                )
            batch.delete_namespaced_job(name, namespace, propagation_policy="Background")
        found = _document(log)
        if more and not found:
            raise OperationFailed(f"Job {namespace}/{name} printed no result: {_last(log)}")
        return found

    def _wait(self, batch: Any, namespace: str, name: str) -> bool:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            status = batch.read_namespaced_job_status(
                name, namespace, _request_timeout=_TIMEOUT
            ).status
            if status.succeeded:
                return True
            conditions = {each.type for each in status.conditions or () if each.status == "True"}
            if "Failed" in conditions:
                return False
            time.sleep(_PERIOD)
        raise OperationFailed(
            f"Job {namespace}/{name} has not ended within {PATIENCE:.0f} s",
            hint=f"kubectl -n {namespace} describe job {name}",
        )

    def _log(self, core: Any, namespace: str, job: str) -> str:
        pods = core.list_namespaced_pod(
            namespace, label_selector=f"batch.kubernetes.io/job-name={job}"
        ).items
        if not pods:
            return ""
        newest = max(pods, key=lambda pod: pod.metadata.creation_timestamp)
        # raw: the library would read a log that is JSON, and give it back as Python's own form
        answer = core.read_namespaced_pod_log(
            newest.metadata.name, namespace, tail_lines=_LINES, _preload_content=False
        )
        return str(answer.data.decode(errors="replace"))

    def _clients(self) -> tuple[Any, Any]:
        from kubernetes import client, config

        if self._opened is None:
            api = config.new_client_from_config(
                config_file=str(self._kubeconfig) if self._kubeconfig else None,
                context=self._context,
            )
            self._opened = client.BatchV1Api(api), client.CoreV1Api(api)
        return self._opened

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from kubernetes import client, config
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (client.ApiException, HTTPError, config.ConfigException) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise OperationFailed(
                f"the cluster did not {what}: {reason}", hint="mlops-infra status shows its state"
            ) from error


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
