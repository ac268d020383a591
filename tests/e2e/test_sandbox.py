"""The whole platform on real Pods: up, its whole life, a lost volume, and nothing left of it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import OperationFailed
from tests.e2e.guides import Walk
from tests.e2e.platform import Platform, cluster_client, left_behind, told
from tests.guides import Block, not_run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real node needs root")
STORES = "mlops-stores"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    from mlops_infra.cluster.node import footprint

    found = Platform(tmp_path_factory.mktemp("sandbox"), "sandbox")
    before = footprint.snapshot([found.data])
    try:
        found.up()
        yield found
    finally:
        down = found.run("down", "-s", "sandbox", "--purge")
    assert down.returncode == 0, told(down)
    assert left_behind(before, found) == []


def test_the_whole_life_of_a_model(sandbox: Platform) -> None:
    done = sandbox.run("verify", "-s", "sandbox", "--json")
    assert done.returncode == 0, told(done)
    steps = json.loads(done.stdout)["steps"]
    assert {step["outcome"] for step in steps} == {"done"}, steps
    assert "Promoting it by canary" in [step["step"] for step in steps]


def test_the_guide_to_the_first_model_works_as_written(sandbox: Platform, tmp_path: Path) -> None:
    with Walk(sandbox, tmp_path / "reader") as walk:
        walk.guide("first-model")
    assert "HTTP/1.1 200 OK" in walk.answer("curl -si")
    assert "promoted" in walk.answer("mlops-infra promote -s sandbox -t demo my-wine --shadow")
    assert "rolled-back" in walk.answer("mlops-infra promote -s sandbox -t demo my-wine --rollback")
    beside = (tmp_path / "reader" / "beside.log").read_text("utf-8")
    assert {"x-model-version: 1", "x-model-version: 2"} <= set(beside.split("\n"))
    assert "my-wine" in walk.answer("mlops-infra replay")


def test_the_guide_to_serving_engines_works_as_written(sandbox: Platform, tmp_path: Path) -> None:
    with Walk(sandbox, tmp_path / "reader") as walk:
        walk.guide("kserve-or-seldon")
    assert "kserve-mlserver" in walk.answer("kubectl get clusterservingruntimes")
    assert "BUSL-1.1" in walk.said[-1][1]


def test_a_tenants_day_works_as_written(sandbox: Platform, tmp_path: Path) -> None:
    with Walk(sandbox, tmp_path / "reader") as walk:
        walk.guide("a-tenants-day")
    here, there = (
        walk.answer(f"mlops-infra pipeline run flowers.py {where}").split("accuracy")[-1].strip()
        for where in ("-p", "--engine argo -s")
    )
    assert here == there, "both engines give the same metrics"
    assert "demand" not in sandbox.outputs["tenants"]
    assert "tenant-demand" not in _namespaces(sandbox)


@pytest.mark.parametrize("block", not_run(), ids=lambda block: block.guide)
def test_what_no_machine_of_ours_can_run_is_named(block: Block) -> None:
    pytest.skip(f"docs/guide/{block.guide}.md: {block.not_run}")


def test_a_second_up_changes_nothing(sandbox: Platform) -> None:
    assert sandbox.up()["counts"] == {}


def test_status_writes_a_page_to_send_around(sandbox: Platform, tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    status = sandbox.json("status", "-s", "sandbox", "--html", str(page))
    assert status["problems"] == []
    text = page.read_text("utf-8")
    assert "Everything is in its desired state" in text
    assert "KServe" in text


def test_a_lost_volume_comes_back_from_the_backup(sandbox: Platform, tmp_path: Path) -> None:
    run = sandbox.json("verify", "-s", "sandbox", "--core")["trackingRun"]
    sandbox.ok("backup", "-s", "sandbox", "-o", str(tmp_path / "backup"))
    _lose(sandbox, "postgresql")
    _lose(sandbox, "versitygw")
    with pytest.raises(OperationFailed):
        _runs(sandbox)
    sandbox.ok("restore", str(tmp_path / "backup"), "-s", "sandbox", "--replace")
    assert run in _runs(sandbox)
    assert sandbox.json("verify", "-s", "sandbox", "--core")["ok"]


def _runs(sandbox: Platform) -> list[str]:
    from mlops_infra.lifecycle.registry.recent_runs import recent_runs

    return [each.id for each in recent_runs(sandbox.outputs["tracking_uri"], None, limit=100)]


def _namespaces(sandbox: Platform) -> list[str]:
    from kubernetes import client

    api: Any = cluster_client(sandbox)
    return [each.metadata.name for each in client.CoreV1Api(api).list_namespace().items]


def _lose(sandbox: Platform, store: str) -> None:
    """Take the store's volume and its Pod away, as a broken disk does; it starts empty."""
    from kubernetes import client

    api: Any = cluster_client(sandbox)
    core = client.CoreV1Api(api)
    core.delete_namespaced_persistent_volume_claim(f"data-{store}-0", STORES)
    core.delete_namespaced_pod(f"{store}-0", STORES, grace_period_seconds=0)
    ends = time.monotonic() + 180
    while True:
        pods = core.list_namespaced_pod(
            STORES,
            label_selector=f"app.kubernetes.io/name={store},app.kubernetes.io/component=server",
        ).items
        ready = [c for pod in pods for c in pod.status.conditions or () if c.type == "Ready"]
        if any(each.status == "True" for each in ready):
            return
        assert time.monotonic() < ends, f"{store} does not come back"
        time.sleep(1)
