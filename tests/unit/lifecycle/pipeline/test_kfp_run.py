"""Pipelines on Kubeflow Pipelines, against a fake of its API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube import Cluster
from mlops_infra.lifecycle.pipeline.definition.arguments import complete
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.submission import kfp_channel, kfp_run
from mlops_infra.lifecycle.pipeline.submission.kfp_api import PipelinesApi
from mlops_infra.lifecycle.pipeline.submission.kfp_client import api_of
from mlops_infra.lifecycle.pipeline.submission.kfp_schedule import repeat
from mlops_infra.lifecycle.pipeline.submission.kubernetes_runs import KubernetesRuns
from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.progress import Event, quiet
from tests.unit.lifecycle.pipeline.fake_kfp import FakeKfp, FakeKubernetes, FakeTenancy, serving

SPACE = "tenant-demo"
TIMES = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-01T00:00:05Z"}
NOT_ENDED = {"start_time": "2026-01-01T00:00:00Z", "end_time": "1970-01-01T00:00:00Z"}


@pytest.fixture
def server() -> FakeKfp:
    return FakeKfp(
        tokens={"token-of-tenant-demo": SPACE, "token-of-tenant-other": "tenant-other"},
        page=2,
    )


@pytest.fixture
def url(server: FakeKfp) -> Iterator[str]:
    with serving(server) as found:
        yield found


def tenancy(url: str, tenant: str = "demo") -> Tenancy:
    return FakeTenancy(Environment(tenant=tenant, runtime_image="r:1", pipelines_endpoint=url))


def start(url: str, name: str = "run-1", **given: str) -> str:
    pipeline = standard("tabular-classification")
    there = tenancy(url)
    values = complete(given, pipeline)
    return kfp_run.submit(pipeline, values, there, api_of(there), name=name)


def task(name: str, state: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"display_name": name, "task_id": f"t-{name}", "state": state, **TIMES, **more}


def details(*tasks: Mapping[str, Any]) -> dict[str, Any]:
    return {"run_details": {"task_details": list(tasks)}}


def test_a_run_starts_in_the_tenants_namespace_with_its_values(server: FakeKfp, url: str) -> None:
    run = server.runs[start(url, algorithm="forest", test_size="0.5")]
    assert run["display_name"] == "run-1"
    assert server.experiments[run["experiment_id"]]["namespace"] == SPACE
    used = run["pipeline_version_reference"]
    assert server.pipelines[used["pipeline_id"]]["namespace"] == SPACE
    spec = server.versions[used["pipeline_version_id"]]["pipeline_spec"]
    given = run["runtime_config"]["parameters"]
    assert set(given) == set(spec["root"]["inputDefinitions"]["parameters"])
    assert given["test_size"] == 0.5
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values()}
    assert images == {"r:1"}
    assert FakeTenancy.kubernetes.made[-1] == (
        f"/api/v1/namespaces/{SPACE}/serviceaccounts/pipelines-client/token",
        ["pipelines.kubeflow.org"],
    )


def test_a_pipeline_that_is_there_is_not_sent_again(server: FakeKfp, url: str) -> None:
    for number in range(3):
        start(url, f"run-{number}", test_size=f"0.{number + 1}")
    assert len(server.runs) == 3
    assert len(server.versions) == len(server.pipelines) == len(server.experiments) == 1


def test_a_token_opens_nothing_of_another_tenant(server: FakeKfp, url: str) -> None:
    run = start(url)
    theirs = PipelinesApi(tenancy(url, "other").pipelines("tenant-other"), "tenant-other")
    for action in (theirs.run, theirs.stop):
        with pytest.raises(InputError, match="HTTP 403"):
            action(run)
    crossing = PipelinesApi(tenancy(url, "other").pipelines("tenant-other"), SPACE)
    with pytest.raises(InputError, match="HTTP 403"):
        crossing.repeated()
    assert theirs.runs("run-1") == []


def test_who_has_no_token_is_refused(server: FakeKfp, url: str) -> None:
    server.tokens.clear()
    with pytest.raises(OperationFailed, match="HTTP 401") as told:
        start(url)
    assert "token is refused" in str(told.value.hint)


def test_a_run_is_followed_by_its_steps_alone(server: FakeKfp, url: str) -> None:
    run = start(url)
    server.script = [
        {"state": "RUNNING", **details(task("root-driver"), task("train", "RUNNING", **NOT_ENDED))},
        {"state": "SUCCEEDED", **details(task("executor"), task("validate"), task("train"))},
    ]
    seen: list[Event] = []
    api = api_of(tenancy(url))
    end = kfp_run.wait(
        api, run, ["validate", "train"], seen.append, timeout=9, sleep=lambda _: None
    )
    assert end.good
    assert {(s.name, s.seconds) for s in end.steps} == {("validate", 5.0), ("train", 5.0)}
    assert "train" in [event.text for event in seen]


@dataclass
class FakeLogs:
    text: str

    def kfp_log(self, namespace: str, run: str, step: str, lines: int) -> str:
        return f"{namespace} {step}: {self.text}"


def test_a_failure_names_the_step_and_shows_its_log(server: FakeKfp, url: str) -> None:
    run = start(url)
    failed = task("train", "FAILED", error={"code": 2, "message": "exit code 3"})
    server.script = [{"state": "FAILED", **details(task("validate"), failed)}]
    api = api_of(tenancy(url))
    end = kfp_run.wait(api, run, ["validate", "train"], quiet, timeout=9)
    told = kfp_run.failure(FakeLogs("Traceback"), end)
    assert told.what == f"step 'train' of {run} failed: exit code 3\n{SPACE} train: Traceback"


def _pod(name: str, node: str, made: str) -> dict[str, Any]:
    notes = {"workflows.argoproj.io/node-name": node}
    return {"metadata": {"name": name, "annotations": notes, "creationTimestamp": made}}


def test_the_log_is_that_of_the_last_try_and_not_of_what_kfp_adds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class FakeCluster:
        def get(self, _path: str, query: Mapping[str, str]) -> dict[str, Any]:
            assert query == {"labelSelector": "pipeline/runid=r-1"}
            return {
                "items": [
                    _pod("driver", "w-1.root.train-driver", "2026-01-01T00:00:09Z"),
                    _pod("first", "w-1.root.train.executor(0)", "2026-01-01T00:00:01Z"),
                    _pod("last", "w-1.root.train.executor(1)", "2026-01-01T00:00:02Z"),
                    _pod("other", "w-1.root.retrain.executor", "2026-01-01T00:00:08Z"),
                ]
            }

        def log(self, namespace: str, pod: str, container: str, *, lines: int) -> str:
            return f"{namespace} {pod} {container} {lines}"

    monkeypatch.setattr(Cluster, "open", lambda *_, **__: FakeCluster())
    runs = KubernetesRuns()
    assert runs.kfp_log(SPACE, "r-1", "train", 7) == f"{SPACE} last main 7"
    assert runs.kfp_log(SPACE, "r-1", "promote", 7) == ""


def test_a_stopped_run_ends_and_says_so(server: FakeKfp, url: str) -> None:
    run, api = start(url), api_of(tenancy(url))
    api.stop(run)
    assert server.runs[run]["state"] == "CANCELING"
    server.script = [{"state": "CANCELED"}]
    end = kfp_run.wait(api, run, [], quiet, timeout=9)
    assert not end.good
    assert "it was stopped" in kfp_run.failure(FakeLogs(""), end).what


def test_waiting_ends_and_says_how_to_go_on(server: FakeKfp, url: str) -> None:
    run, times = start(url), iter([0.0, 11.0])
    server.script = [{"state": "RUNNING", **details(task("train", "RUNNING"))}]
    api = api_of(tenancy(url))
    with pytest.raises(OperationFailed, match="has not ended within 10 s: train") as told:
        kfp_run.wait(api, run, ["train"], quiet, timeout=10, clock=lambda: next(times))
    assert f"pipeline stop {run}" in str(told.value.hint)


def test_schedules_are_added_listed_and_removed(server: FakeKfp, url: str) -> None:
    pipeline, there = standard("tabular-regression"), tenancy(url)
    api = api_of(there)
    for name in ("a", "b", "c"):  # more than a page
        values = complete({}, pipeline)
        repeat(pipeline, values, there, api, name=name, cron="0 3 * * mon")
    assert [each["display_name"] for each in api.repeated()] == ["a", "b", "c"]
    first = api.repeated()[0]
    assert first["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * mon"
    assert first["no_catchup"] is True
    of_it = {"namespace": SPACE, "recurring_run_id": first["recurring_run_id"], "workflow": "w"}
    going = server.add("runs", {**of_it, "state": "RUNNING"})
    api.end_repeating(first["recurring_run_id"])
    assert len(api.repeated()) == 2
    assert going["workflow"] == "w", "a run that a schedule has started goes on without it"


def test_a_schedule_with_a_mistake_is_not_sent(server: FakeKfp, url: str) -> None:
    pipeline, there = standard("tabular-regression"), tenancy(url)
    api, values = api_of(there), complete({}, pipeline)
    with pytest.raises(InputError, match="0 25"):
        repeat(pipeline, values, there, api, name="a", cron="0 25 * * *")
    assert server.asked == []


def test_the_plug_ins_run_of_mlflow_is_told() -> None:
    entries = {"root_run_id": {"value": "abc"}, "run_url": {"value": "http://x", "render_type": 1}}
    run = {"plugins_output": {"mlflow": {"entries": entries, "state": "PLUGIN_SUCCEEDED"}}}
    assert kfp_run.tracking_run(run) == "abc"
    assert kfp_run.tracking_run({"run_id": "1"}) is None


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    kubernetes, now = FakeKubernetes(), [0.0]
    token = kfp_channel.Token(lambda: kubernetes, SPACE, clock=lambda: now[0])  # type: ignore[arg-type, return-value]
    for moment in (0.0, 3000.0, 3301.0):
        now[0] = moment
        token.text()
    assert len(kubernetes.made) == 2


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(OperationFailed, match="does not respond") as told:
        start("http://127.0.0.1:9")
    assert told.value.where == "http://127.0.0.1:9"


def test_a_platform_without_it_says_so() -> None:
    with pytest.raises(InputError, match="has no Kubeflow Pipelines"):
        api_of(Tenancy(Environment(tenant="demo")))
