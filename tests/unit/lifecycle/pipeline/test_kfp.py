"""What Kubeflow Pipelines' backend fills in, and what a step tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.model import Parameter, Pipeline, Step
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.engines import kfp
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.execution import Ended
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.pipeline.steps.kfp_report import report
from mlops_infra.lifecycle.services.environment import Environment

IMAGE = "mlops-infra.local/runtime:0.4.0-01234567"
FILLED_IN = ("{{$.inputs.", "{{$.outputs.artifacts[")
"""Beginnings of what the backend 2.17 replaces in arguments, besides `{{$}}` as a whole."""


def _ir(name: str = "tabular-classification", **given: Any) -> dict[str, Any]:
    pipeline = standard(name)
    return kfp.documents(pipeline, complete({}, pipeline), image=IMAGE, **given)[0]


def test_arguments_hold_no_placeholder_that_the_backend_leaves_as_it_is() -> None:
    for executor in _ir()["deploymentSpec"]["executors"].values():
        for word in executor["container"]["args"]:
            if "{{" in word and word != "{{$}}":
                assert word[word.index("{{") :].startswith(FILLED_IN), word


def test_each_step_hears_its_run_by_a_parameter() -> None:
    ir = _ir()
    for name, task in ir["root"]["dag"]["tasks"].items():
        (parameter,) = (
            key
            for key, value in task["inputs"]["parameters"].items()
            if value.get("runtimeValue") == {"constant": "{{$.pipeline_job_uuid}}"}
        )
        args = ir["deploymentSpec"]["executors"][f"exec-{name}"]["container"]["args"]
        assert args[args.index("--run") + 1] == f"{{{{$.inputs.parameters['{parameter}']}}}}"


def test_outputs_are_reused_from_the_tenants_bucket_where_it_is_known() -> None:
    ours, theirs = _ir(cache="s3:///pipelines/cache"), _ir()

    def reusing(ir: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Steps that look into our cache, and steps for which KFP looks into its own."""
        executors, tasks = ir["deploymentSpec"]["executors"], ir["root"]["dag"]["tasks"]
        return (
            {n[5:] for n, e in executors.items() if "--cache" in e["container"]["args"]},
            {n for n, t in tasks.items() if t["cachingOptions"]},
        )

    cached, none = reusing(ours)
    assert cached
    assert none == set()
    assert reusing(theirs) == (set(), cached)


def test_a_parameter_may_not_take_the_name_of_the_runs() -> None:
    step = Step(name="a", entry="code", parameters=(kfp.RUN_PARAMETER,))
    pipeline = Pipeline(
        name="p", description="", parameters=(Parameter(kfp.RUN_PARAMETER, ""),), steps=(step,)
    )
    with pytest.raises(InputError, match=kfp.RUN_PARAMETER):
        kfp.documents(pipeline, {kfp.RUN_PARAMETER: "x"}, image=IMAGE)


def _job(folder: Path) -> Job:
    pipeline = standard("tabular-classification")
    step = pipeline.step("evaluate")
    outputs = {name: str(folder / name) for name in step.outputs}
    for name, content in step.outputs.items():
        value: Any = {"accuracy": 0.1 + 0.2} if content == "metrics" else {}
        body = contents.dump(content, value, name) if content in ("metrics", "json") else b""
        (folder / name).write_bytes(body)
    parameters = {name: pipeline.parameter(name).default for name in step.parameters}
    inputs = dict.fromkeys(step.inputs, "unused")
    return Job(pipeline, step, "run-1", parameters, inputs, outputs, Environment(), None)


def test_a_step_tells_digests_and_metrics_where_the_launcher_looks(tmp_path: Path) -> None:
    job, target = _job(tmp_path), tmp_path / "executor_output.json"
    digests = {n: storage.digest((tmp_path / n).read_bytes()) for n in job.step.outputs}
    artifacts = {n: {"artifacts": [{"uri": f"s3://b/{n}"}]} for n in job.step.outputs}
    told = {"inputs": {}, "outputs": {"artifacts": artifacts, "outputFile": str(target)}}
    report(job, Ended(digests), json.dumps(told))
    written = json.loads(target.read_text("utf-8"))["artifacts"]
    metrics = written["metrics"]["artifacts"][0]
    assert metrics["uri"] == "s3://b/metrics"
    assert metrics["metadata"] == {"sha256": digests["metrics"], "accuracy": 0.1 + 0.2}


@pytest.mark.parametrize(
    "given", ["{{$}}", "[]", '{"outputs": {}}', '{"outputs": {"artifacts": 1}}']
)
def test_a_placeholder_that_nobody_filled_in_is_an_error(tmp_path: Path, given: str) -> None:
    job = _job(tmp_path)
    with pytest.raises(InputError, match="not an ExecutorInput"):
        report(job, Ended(dict.fromkeys(job.step.outputs, "0")), given)
