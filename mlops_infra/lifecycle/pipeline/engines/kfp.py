"""Says a pipeline as Kubeflow Pipelines IR (schema 2.1.0), as plain data and as YAML.

Written by this kit, not by `kfp`: its SDK cannot be installed beside ours (it wants an older
`kubernetes`), and its components install packages when they run, which a closed network cannot.
Here every component is a container of the runtime image. A test loads the result with `kfp` itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra import contract
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.pipeline.definition.arguments import encoded
from mlops_infra.lifecycle.pipeline.definition.model import (
    Content,
    Kind,
    Parameter,
    Pipeline,
    Source,
    Step,
    Value,
)
from mlops_infra.lifecycle.pipeline.engines.argo_pods import PLATFORM, SECRETS
from mlops_infra.lifecycle.pipeline.engines.invocation import PROGRAM, arguments

SCHEMA, SDK = "2.1.0", "kfp-2.17.0"
"""What the backend 2.17 reads; the SDK is named because the schema wants one."""
_TYPES: dict[Kind, str] = {
    "str": "STRING",
    "int": "NUMBER_INTEGER",
    "float": "NUMBER_DOUBLE",
    "bool": "BOOLEAN",
}
_ARTIFACTS: dict[Content, str] = {
    "table": "system.Dataset",
    "array": "system.Dataset",
    "model": "system.Model",
    "json": "system.Artifact",
    "bytes": "system.Artifact",
    "metrics": "system.Metrics",
}
PLATFORM_KEYS = (
    "MLFLOW_TRACKING_URI",
    "AWS_ENDPOINT_URL_S3",
    contract.BUCKET_VARIABLE,
    contract.TENANT_VARIABLE,
    contract.FEATURES_VARIABLE,
    contract.LINEAGE_VARIABLE,
    contract.GATEWAY_VARIABLE,
)
"""Keys of the tenant's ConfigMap that a step reads; KFP mounts no whole ConfigMap as variables."""
RUN = "{{$.pipeline_job_uuid}}"
"""Filled in where it is the constant of a task's parameter, not in arguments of a command."""
RUN_PARAMETER = "pipeline_run_id"
"""The parameter of every step by which it hears its run."""
EXACT = 2**53
"""KFP holds every number as a float of 64 bits."""


class KfpWords:
    """KFP's placeholders."""

    def text(self, text: str) -> str:
        """A fixed word."""
        return text

    def parameter(self, name: str) -> str:
        """`name=<the task's parameter>`."""
        return f"{name}={{{{$.inputs.parameters['{name}']}}}}"

    def input(self, step: Step, name: str) -> str:  # noqa: ARG002 - other engines need the step
        """`name=<path that the launcher has downloaded to>`."""
        return f"{name}={{{{$.inputs.artifacts['{name}'].path}}}}"

    def output(self, step: Step, name: str) -> str:  # noqa: ARG002
        """`name=<path that the launcher uploads>`."""
        return f"{name}={{{{$.outputs.artifacts['{name}'].path}}}}"

    def run(self) -> str:
        """KFP's own id of the run."""
        return f"{{{{$.inputs.parameters['{RUN_PARAMETER}']}}}}"


def documents(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    *,
    image: str,
    code: str | None = None,
    cache: str | None = None,
) -> list[dict[str, Any]]:
    """The two documents of the IR: the pipeline, and what only Kubernetes understands.

    Args:
        pipeline: what to say.
        values: the defaults of its parameters.
        image: the runtime image.
        code: object that holds the person's code, where the pipeline has any.
        cache: place of the outputs of equal steps; None leaves their reuse to KFP, whose own list
            of them is one for all tenants.

    Raises:
        InputError: the pipeline has code and no place for it, a number would be rounded, or a
            parameter has a name that is taken.
    """
    if any(each.name == RUN_PARAMETER for each in pipeline.parameters):
        raise InputError(
            f"a parameter cannot be called '{RUN_PARAMETER}' on Kubeflow Pipelines",
            hint="each step gets the id of its run by that name: choose another",
        )
    if pipeline.code is not None and code is None:
        raise InputError(
            "Kubeflow Pipelines needs the code as an object", hint="add --code s3://BUCKET/KEY"
        )
    executors = {
        f"exec-{step.name}": _executor(pipeline, step, image, code, cache)
        for step in pipeline.steps
    }
    ir: dict[str, Any] = {
        "components": {f"comp-{step.name}": _component(pipeline, step) for step in pipeline.steps},
        "deploymentSpec": {"executors": executors},
        "pipelineInfo": {"name": pipeline.name, "description": pipeline.description},
        "root": _root(pipeline, values, cache),
        "schemaVersion": SCHEMA,
        "sdkVersion": SDK,
    }
    return [ir, _platform(executors)]


def runtime_values(pipeline: Pipeline, values: Mapping[str, Value]) -> dict[str, Value]:
    """Values of one run, as KFP takes them.

    Raises:
        InputError: a number would be rounded.
    """
    return {each.name: _default(each, values[each.name]) for each in pipeline.parameters}


def to_yaml(documents: list[dict[str, Any]]) -> str:
    """The file that KFP takes: documents in order, keys sorted, ASCII."""
    import yaml

    return yaml.safe_dump_all(documents, sort_keys=True, default_flow_style=False)


def _component(pipeline: Pipeline, step: Step) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "parameters": {
            **{
                name: {"parameterType": _TYPES[pipeline.parameter(name).kind]}
                for name in step.parameters
            },
            RUN_PARAMETER: {"parameterType": _TYPES["str"]},
        }
    }
    if step.inputs:
        inputs["artifacts"] = {
            name: _artifact(pipeline.content(source)) for name, source in step.inputs.items()
        }
    component: dict[str, Any] = {
        "executorLabel": f"exec-{step.name}",
        "inputDefinitions": inputs,
    }
    if step.outputs:
        outputs = {name: _artifact(content) for name, content in step.outputs.items()}
        component["outputDefinitions"] = {"artifacts": outputs}
    return component


def _artifact(content: Content) -> dict[str, Any]:
    return {"artifactType": {"schemaTitle": _ARTIFACTS[content], "schemaVersion": "0.0.1"}}


def _executor(
    pipeline: Pipeline, step: Step, image: str, code: str | None, cache: str | None
) -> dict[str, Any]:
    asked = step.resources
    said = [*arguments(pipeline, step, KfpWords(), code=code), *_reporting(step)]
    if step.cached and cache is not None:
        said += ["--cache", cache]
    return {
        "container": {
            "image": image,
            "command": [PROGRAM],
            "args": said,
            "env": [
                {"name": "HOME", "value": "/tmp"},  # noqa: S108 - the container's own
                {"name": contract.RUNTIME_IMAGE_VARIABLE, "value": image},
            ],
            "resources": {
                "resourceCpuRequest": asked.cpu,
                "resourceCpuLimit": asked.cpu_limit,
                "resourceMemoryRequest": asked.memory,
                "resourceMemoryLimit": asked.memory,
            },
        }
    }


def _reporting(step: Step) -> list[str]:
    """Arguments that make the step tell KFP what it wrote; a container is not asked otherwise.

    The backend fills in the whole ExecutorInput, and not the single `{{$.outputs.output_file}}`.
    """
    return ["--kfp-executor-input", "{{$}}"] if step.outputs else []


def _root(pipeline: Pipeline, values: Mapping[str, Value], cache: str | None) -> dict[str, Any]:
    root: dict[str, Any] = {
        "dag": {"tasks": {step.name: _task(step, cache) for step in pipeline.steps}},
        "inputDefinitions": {
            "parameters": {
                parameter.name: {
                    "parameterType": _TYPES[parameter.kind],
                    "defaultValue": _default(parameter, values[parameter.name]),
                    "isOptional": True,
                    **({"description": parameter.help} if parameter.help else {}),
                }
                for parameter in pipeline.parameters
            }
        },
    }
    if pipeline.metrics is not None:
        root["dag"]["outputs"] = {"artifacts": {"metrics": _selected(pipeline.metrics)}}
        artifact = _artifact(pipeline.content(pipeline.metrics))
        root["outputDefinitions"] = {"artifacts": {"metrics": artifact}}
    return root


def _default(parameter: Parameter, value: Value) -> Value:
    if isinstance(value, str):
        return encoded(value)
    if isinstance(value, int) and abs(value) > EXACT:
        raise InputError(
            f"Kubeflow Pipelines would round the value of '{parameter.name}': {value}",
            hint=f"it carries whole numbers up to {EXACT}; give a longer one as a text",
        )
    return value


def _selected(source: Source) -> dict[str, Any]:
    chosen = {"producerSubtask": source.step, "outputArtifactKey": source.output}
    return {"artifactSelectors": [chosen]}


def _task(step: Step, cache: str | None) -> dict[str, Any]:
    task: dict[str, Any] = {
        "cachingOptions": {"enableCache": True} if step.cached and cache is None else {},
        "componentRef": {"name": f"comp-{step.name}"},
        "taskInfo": {"name": step.name},
    }
    inputs: dict[str, Any] = {
        "parameters": {
            **{name: {"componentInputParameter": name} for name in step.parameters},
            RUN_PARAMETER: {"runtimeValue": {"constant": RUN}},
        }
    }
    if step.inputs:
        inputs["artifacts"] = {
            name: {
                "taskOutputArtifact": {
                    "producerTask": source.step,
                    "outputArtifactKey": source.output,
                }
            }
            for name, source in step.inputs.items()
        }
    task["inputs"] = inputs
    if step.needs:
        task["dependentTasks"] = list(step.needs)
    if step.retries:
        task["retryPolicy"] = {
            "maxRetryCount": step.retries,
            "backoffDuration": "5s",
            "backoffFactor": 3.0,
            "backoffMaxDuration": "300s",
        }
    return task


def _platform(executors: Mapping[str, Any]) -> dict[str, Any]:
    endpoints = {
        "configMapName": PLATFORM,
        "optional": True,
        "keyToEnv": [{"configMapKey": key, "envVar": key} for key in PLATFORM_KEYS],
    }
    secrets = [
        {
            "secretName": secret,
            "optional": optional,
            "keyToEnv": [{"secretKey": key, "envVar": variable}],
        }
        for variable, secret, key, optional in SECRETS
    ]
    told = {"configMapAsEnv": [endpoints], "secretAsEnv": secrets}
    return {
        "platforms": {
            "kubernetes": {"deploymentSpec": {"executors": dict.fromkeys(executors, told)}}
        }
    }
