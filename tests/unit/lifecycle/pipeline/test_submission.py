"""Sending a run to a tenant's namespace, following it, and telling why it failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.model import Code, Pipeline, Step
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.submission import argo_run
from mlops_infra.lifecycle.pipeline.submission.argo_run import failure, told_by, wait
from mlops_infra.lifecycle.pipeline.submission.submit import submit
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.progress import Event, quiet

CODE = Pipeline("p", (), (Step("one", "code"),), code=Code("x = 1\n", "ab" * 32, "p.py"))


def node(name: str, kind: str = "Pod", phase: str = "Succeeded", **more: Any) -> dict[str, Any]:
    made = {"id": name, "displayName": name, "type": kind, "phase": phase}
    return {**made, "startedAt": "2026-01-01T00:00:00Z", **more}


def workflow(phase: str, *nodes: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "run-1", "namespace": "tenant-demo"},
        "status": {"phase": phase, "nodes": {each["id"]: each for each in nodes}},
    }


@dataclass
class FakeCluster:
    states: Iterator[dict[str, Any]] = field(default_factory=lambda: iter(()))
    told: dict[str, str] = field(default_factory=dict)
    made: list[Any] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)

    def platform(self, namespace: str) -> Mapping[str, str]:
        return self.told

    def create(self, manifest: Mapping[str, Any]) -> None:
        self.made.append(manifest["metadata"]["name"])

    def keep_code(self, namespace: str, name: str, file: str, text: str) -> None:
        self.made.append((namespace, name, file, text))

    def read(self, namespace: str, name: str) -> Mapping[str, Any]:
        return next(self.states)

    def log(self, namespace: str, workflow: str, node: str, lines: int) -> str:
        return self.logs.get(node, "")


class FakeTenancy(Tenancy):
    cluster: FakeCluster

    def workflows(self) -> FakeCluster:
        return self.cluster


def tenancy(cluster: FakeCluster, **around: Any) -> Tenancy:
    made = FakeTenancy(Environment(**{"tenant": "demo", **around}))
    object.__setattr__(made, "cluster", cluster)
    return made


def test_a_run_uses_the_image_that_the_platform_brought() -> None:
    cluster = FakeCluster(told={"MLOPS_INFRA_RUNTIME_IMAGE": "theirs:1"})
    pipeline = standard("tabular-classification")
    done = submit(pipeline, complete({}, pipeline), tenancy(cluster), run="run-1")
    images = {t["container"]["image"] for t in done.manifest["spec"]["templates"][1:]}
    assert images == {"theirs:1"}
    assert cluster.made == ["run-1"]


def test_code_is_there_before_the_workflow_that_names_it() -> None:
    cluster = FakeCluster()
    done = submit(CODE, {}, tenancy(cluster, runtime_image="r:1"), run="run-1")
    (namespace, name, file, text), created = cluster.made
    assert (namespace, file, text) == ("tenant-demo", f"{'ab' * 32}.py", "x = 1\n")
    assert created == "run-1"
    assert {"name": "code", "configMap": {"name": name}} in done.manifest["spec"]["volumes"]
    said = done.manifest["spec"]["templates"][1]["container"]["args"]
    assert f"/code/{'ab' * 32}.py" in said


@pytest.mark.parametrize(
    ("around", "what"),
    [({"tenant": None}, "no tenant is configured"), ({}, "has no image for steps")],
)
def test_what_nobody_named_is_asked_for(around: dict[str, Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        submit(CODE, {}, tenancy(FakeCluster(), **around), run="run-1")


def test_a_run_is_followed_to_its_end() -> None:
    waiting = node("train", phase="Pending", message="ImagePullBackOff")
    cluster = FakeCluster(
        iter(
            [
                {"metadata": {}},
                workflow("Running", node("validate"), waiting),
                workflow("Succeeded", node("validate"), node("train")),
            ]
        )
    )
    seen: list[Event] = []
    slept: list[float] = []
    end = wait(cluster, "tenant-demo", "run-1", seen.append, timeout=9, sleep=slept.append)
    assert end.good
    assert len(slept) == 2
    assert "train (ImagePullBackOff)" in [event.text for event in seen]
    assert seen[-1].outcome == "done"


def test_waiting_ends_and_says_what_it_waited_for() -> None:
    times = iter([0.0, 11.0])
    cluster = FakeCluster(iter([workflow("Running", node("train", phase="Running"))]))
    with pytest.raises(OperationFailed, match="has not ended within 10 s: train") as told:
        wait(cluster, "tenant-demo", "run-1", quiet, timeout=10, clock=lambda: next(times))
    assert "still running" in str(told.value.hint)


def test_a_failure_names_the_step_and_shows_its_last_try() -> None:
    retry = node("train", "Retry", "Failed", children=["train-0", "train-1"], message="no more")
    tries = [node(f"train-{n}", phase="Failed", displayName=f"train({n})") for n in range(2)]
    cluster = FakeCluster(logs={"train-1": "Traceback: last", "train-0": "first"})
    end = told_by(workflow("Failed", node("validate"), retry, *tries))
    assert [step.name for step in end.steps] == ["validate", "train"]
    told = failure(cluster, end)
    assert told.what == "step 'train' of run-1 failed: no more\nTraceback: last"


LIMITS = {
    "name": "train",
    "activeDeadlineSeconds": 20,
    "container": {"resources": {"limits": {"memory": "256Mi"}}},
}


@pytest.mark.parametrize(
    ("message", "code", "what", "hint"),
    [
        ("OOMKilled (exit code 137)", "137", "used more than its memory limit of 256Mi", "512Mi"),
        ("exit status 137", "", "most likely it used more than its memory limit", "512Mi"),
        (
            "Pod was active on the node longer than the specified deadline",
            "130",
            "ran longer than its time limit of 20 s",
            "@step(timeout_seconds=40)",
        ),
        ("Error (exit code 1)", "1", "failed: Error (exit code 1)", "kubectl"),
    ],
)
def test_why_a_step_ended_is_told_in_words(message: str, code: str, what: str, hint: str) -> None:
    ended = node("train", phase="Failed", message=message, outputs={"exitCode": code})
    retry = node("again", "Retry", "Failed", children=["train"], message="no more retries left")
    shown = {**retry, "displayName": "train", "templateName": "train"}
    flow = {**workflow("Failed", shown, ended), "spec": {"templates": [LIMITS]}}
    told = failure(FakeCluster(), told_by(flow))
    assert what in told.what
    assert told.hint is not None
    assert hint in told.hint


def test_the_protocol_is_what_the_fake_offers() -> None:
    checked: argo_run.Workflows = FakeCluster()
    assert checked
