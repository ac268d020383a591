"""Says a pipeline as an Argo Workflow for a tenant's namespace.

Steps hand over through objects of the tenant's bucket, which they read and write themselves with
the tenant's own credentials: Argo needs no artifact repository, and its executor never sees the
data. Pods keep Pod Security `restricted`: no root, read-only root file system, no capabilities.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.arguments import encoded
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Source, Step, Value
from mlops_infra.lifecycle.pipeline.definition.places import cache, object_of
from mlops_infra.lifecycle.pipeline.engines.argo_pods import container, pod_defaults
from mlops_infra.lifecycle.pipeline.engines.argo_settings import CODE_FOLDER, ArgoSettings
from mlops_infra.lifecycle.pipeline.engines.invocation import arguments

KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
RUN = "{{workflow.name}}"
KEEP_DONE, KEEP_FAILED = 24 * 3600, 7 * 24 * 3600
"""Seconds that a Workflow stays to be looked at; its results stay for good."""
LONGEST_NAME = 52
"""Letters of a run: Argo puts the step and a hash behind it in names of Pods."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_AGAIN = (
    "lastRetry.status == 'Error' or asInt(lastRetry.exitCode) == 1 "
    "or asInt(lastRetry.exitCode) > 128"
)
"""1: a service did not answer. Above 128: killed. 2 and 3 would only fail again."""


class ArgoWords:
    """Argo's placeholders."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def text(self, text: str) -> str:
        """A fixed word."""
        return text

    def parameter(self, name: str) -> str:
        """`name=<the workflow's parameter>`."""
        return f"{name}={{{{workflow.parameters.{name}}}}}"

    def input(self, step: Step, name: str) -> str:
        """`name=<object of the step before>`."""
        return f"{name}={self.place(step.inputs[name])}"

    def output(self, step: Step, name: str) -> str:
        """`name=<object of this step>`."""
        return f"{name}={self.place(Source(step.name, name))}"

    def run(self) -> str:
        """The workflow's name."""
        return RUN

    def place(self, source: Source) -> str:
        """The object that holds an output of this run."""
        return object_of(self._bucket, RUN, source)


def workflow(
    pipeline: Pipeline, values: Mapping[str, Value], settings: ArgoSettings, *, run: str
) -> dict[str, Any]:
    """The Workflow of one run, as plain data.

    Raises:
        InputError: `run` is not a name, or the code has no place.
    """
    if len(run) > LONGEST_NAME or not _NAME.fullmatch(run):
        raise InputError(
            f"'{run}' is not a valid run name",
            hint=f"1 to {LONGEST_NAME} lower case letters, digits and -",
        )
    labels = {
        contract.MANAGED_BY_LABEL: "mlops-infra",
        contract.PART_OF_LABEL: "mlops-infra",
        contract.COMPONENT_ROLE_LABEL: "pipeline",
        contract.TENANT_LABEL: settings.tenant,
        contract.PIPELINE_LABEL: pipeline.name,
    }
    return {
        **KIND,
        "metadata": {"name": run, "namespace": settings.namespace, "labels": labels},
        "spec": _spec(pipeline, values, settings, labels),
    }


def _spec(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    settings: ArgoSettings,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    words = ArgoWords(settings.bucket)
    longest = sum(step.timeout_seconds * (1 + step.retries) for step in pipeline.steps)
    spec: dict[str, Any] = {
        "entrypoint": "main",
        "onExit": "finish",
        "serviceAccountName": settings.service_account,
        "activeDeadlineSeconds": longest,
        "arguments": {
            "parameters": [
                {"name": parameter.name, "value": encoded(values[parameter.name])}
                for parameter in pipeline.parameters
            ]
        },
        "podMetadata": {"labels": {**labels, contract.RUN_LABEL: RUN}},
        "ttlStrategy": {"secondsAfterSuccess": KEEP_DONE, "secondsAfterFailure": KEEP_FAILED},
        "templates": [
            {"name": "main", "dag": {"tasks": [_task(step) for step in pipeline.steps]}},
            *(_template(pipeline, step, settings, words) for step in pipeline.steps),
            _finish(pipeline, settings, words),
        ],
        **pod_defaults(settings.code_config_map),
    }
    if pipeline.exclusive is not None:
        # Two trainings of one model at a time would race for its next version.
        name = f"train-{{{{workflow.parameters.{pipeline.exclusive}}}}}"
        spec["synchronization"] = {"mutexes": [{"name": name}]}
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    return spec


def _task(step: Step) -> dict[str, Any]:
    task: dict[str, Any] = {"name": step.name, "template": step.name}
    if step.needs:
        task["dependencies"] = list(step.needs)
    return task


def _template(
    pipeline: Pipeline, step: Step, settings: ArgoSettings, words: ArgoWords
) -> dict[str, Any]:
    said = arguments(pipeline, step, words, code=_code(pipeline, settings))
    if step.cached:
        said += ["--cache", cache(settings.bucket)]
    return {
        "name": step.name,
        "activeDeadlineSeconds": step.timeout_seconds,
        # A lost node is no fault of the step: it gets one more chance even without retries.
        "retryStrategy": {
            "limit": max(step.retries, 1),
            "retryPolicy": "Always",
            "expression": _AGAIN if step.retries else "lastRetry.status == 'Error'",
            "backoff": {"duration": "5s", "factor": 3, "maxDuration": "5m"},
        },
        "container": container(settings, said, step.resources),
    }


def _finish(pipeline: Pipeline, settings: ArgoSettings, words: ArgoWords) -> dict[str, Any]:
    """What runs at the end of every run, also of a failed one."""
    said = ["step", "finish", "--pipeline", pipeline.name, "--step", "finish", "--run", RUN]
    said += ["--status", "{{workflow.status}}"]
    for step in pipeline.steps:
        if "registration" in step.outputs:
            said += ["--in", f"registration={words.place(Source(step.name, 'registration'))}"]
    said += ["--out", f"status={words.place(Source('finish', 'status'))}"]
    return {
        "name": "finish",
        "retryStrategy": {"limit": 2, "retryPolicy": "Always"},
        "container": container(settings, said),
    }


def _code(pipeline: Pipeline, settings: ArgoSettings) -> str | None:
    if pipeline.code is None:
        return None
    if settings.code_config_map is not None:
        return f"{CODE_FOLDER}/{pipeline.code.sha256}.py"
    if settings.code is None:
        raise InputError("the code of the pipeline is not readable by its Pods")
    return settings.code
