"""The whole platform on real Pods: its whole life, the guides, a lost volume, and nothing left.

The tests share one sandbox and follow each other in this order.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.services.object_store import s3_client
from tests import foreign
from tests.doors import objects
from tests.e2e import accounts
from tests.e2e.guides import Walk
from tests.e2e.platform import PATIENCE, ROOT, Platform, cluster_client, taken_down
from tests.guides import Block, not_run
from tests.readme import COVERED, SANDBOX

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a real node needs root")
STORES = "mlops-stores"
VERIFY = "mlops-infra verify -s sandbox"
MADE_AND_TAKEN_DOWN = ("make up", "make down")
"""By the fixture, as `mlops-infra up` and `down`."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with taken_down(Platform(tmp_path_factory.mktemp("sandbox"), "sandbox")) as found:
        found.up()
        yield found


@pytest.fixture(scope="module")
def life(
    sandbox: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`verify` and its output: it begins with the first guide, whose models are others."""
    told = tmp_path_factory.mktemp("life") / "told.txt"
    with told.open("w") as output:
        child = sandbox.start(*VERIFY.split()[1:], stdout=output, stderr=subprocess.STDOUT)
    yield child, told
    child.kill()
    child.wait()


@pytest.mark.usefixtures("life")
def test_the_guide_to_the_first_model_works_as_written(sandbox: Platform, tmp_path: Path) -> None:
    with Walk(sandbox, tmp_path / "reader") as walk:
        walk.guide("first-model")
    assert "HTTP/1.1 200 OK" in walk.answer("curl -si")
    assert "promoted" in walk.answer("mlops-infra promote -s sandbox -t demo my-wine --shadow")
    assert "rolled-back" in walk.answer("mlops-infra promote -s sandbox -t demo my-wine --rollback")
    beside = (tmp_path / "reader" / "beside.log").read_text("utf-8")
    assert {"x-model-version: 1", "x-model-version: 2"} <= set(beside.split("\n"))
    assert "my-wine" in walk.answer("mlops-infra replay")


def test_stock_clients_with_their_defaults_get_answers(sandbox: Platform, tmp_path: Path) -> None:
    """The model of the first guide, behind MLServer, asked by both clients of Triton."""
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets

    clients = foreign.python(tmp_path)
    token = ClusterSecrets(sandbox.kubeconfig).read("tenant-demo", "gateway-token")["token"]
    told = sandbox.outputs
    http, grpc = (
        str(told[name]).rpartition("://")[2].rstrip("/")
        for name in ("serving_endpoint", "serving_grpc_endpoint")
    )
    foreign.run(clients, "any_model", http, grpc, TOKEN=token, MODEL="my-wine")


def test_the_guide_to_serving_engines_works_as_written(sandbox: Platform, tmp_path: Path) -> None:
    with Walk(sandbox, tmp_path / "reader") as walk:
        walk.guide("kserve-or-seldon")
    assert "kserve-mlserver" in walk.answer("kubectl get clusterservingruntimes")
    assert "BUSL-1.1" in next(said for typed, said in walk.said if '"1.18.0"' in typed)


def test_the_whole_life_of_a_model(
    sandbox: Platform, life: tuple[subprocess.Popen[str], Path]
) -> None:
    """The README's command; people get a table, and no secret is in it."""
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets, credentials

    child, file = life
    assert child.wait(PATIENCE) == 0, file.read_text()
    told = file.read_text()
    outcomes = dict(re.findall(r"^(\S.*?) {2,}(done|failed|skipped) ", told, re.M))
    assert set(outcomes.values()) == {"done"}, told
    assert {"Linking both runs", "Promoting it by canary", "Replaying a prediction"} <= set(
        outcomes
    )
    assert f"{sandbox.stack}: the platform works" in told
    held = credentials(ClusterSecrets(sandbox.kubeconfig))
    assert held.lineage_password
    assert held.objects
    for secret in (held.lineage_password, held.objects.password):
        assert secret not in told


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


def test_the_other_commands_of_the_readme_work_as_written(sandbox: Platform) -> None:
    """All in one shell, as a reader has one; there is nothing left to change for its `up`."""
    typed = [command for command, file in COVERED.items() if file == SANDBOX]
    typed = [command for command in typed if command not in (*MADE_AND_TAKEN_DOWN, VERIFY)]
    script = "\n".join(f"echo '+ {n}'; {command}" for n, command in enumerate(typed))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=sandbox.environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert "changed: 0," in done.stdout


def test_status_writes_a_page_to_send_around(sandbox: Platform, tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    status = sandbox.json("status", "-s", "sandbox", "--html", str(page))
    assert status["problems"] == []
    text = page.read_text("utf-8")
    assert "Everything is in its desired state" in text
    assert "KServe" in text


def test_every_account_opens_its_own_doors_alone(sandbox: Platform) -> None:
    assert accounts.walk(sandbox) == []


def test_rights_changed_by_hand_are_named_and_put_right(sandbox: Platform) -> None:
    endpoint = sandbox.outputs["object_endpoint"]
    root = s3_client(endpoint, accounts.logins(sandbox)["root"])
    objects.MANAGE["put policy"](root, "tenant-demo")
    status = sandbox.run("status", "-s", "sandbox")
    assert status.returncode == 3
    assert "the policy of bucket tenant-demo was replaced" in status.stderr
    notes = sandbox.up()["notes"]
    assert "put right: object store: the policy of bucket tenant-demo was replaced" in notes
    assert sandbox.run("status", "-s", "sandbox").returncode == 0
    assert accounts.walk(sandbox) == []


def test_a_lost_volume_comes_back_from_the_backup(sandbox: Platform, tmp_path: Path) -> None:
    before = set(_runs(sandbox))
    assert before
    sandbox.ok("backup", "-s", "sandbox", "-o", str(tmp_path / "backup"))
    _lose(sandbox, "postgresql", "versitygw")
    with pytest.raises(OperationFailed):
        _runs(sandbox)
    sandbox.ok("restore", str(tmp_path / "backup"), "-s", "sandbox", "--replace")
    assert before <= set(_runs(sandbox))
    assert sandbox.json("verify", "-s", "sandbox", "--core")["ok"]


def _runs(sandbox: Platform) -> list[str]:
    from mlops_infra.lifecycle.registry.recent_runs import recent_runs

    return [each.id for each in recent_runs(sandbox.outputs["tracking_uri"], None, limit=100)]


def _namespaces(sandbox: Platform) -> list[str]:
    from kubernetes import client

    api: Any = cluster_client(sandbox)
    return [each.metadata.name for each in client.CoreV1Api(api).list_namespace().items]


def _lose(sandbox: Platform, *stores: str) -> None:
    """Take the volumes and Pods of stores away, as a broken disk does; they start empty."""
    from kubernetes import client

    api: Any = cluster_client(sandbox)
    core = client.CoreV1Api(api)
    for store in stores:
        core.delete_namespaced_persistent_volume_claim(f"data-{store}-0", STORES)
        core.delete_namespaced_pod(f"{store}-0", STORES, grace_period_seconds=0)
    ends = time.monotonic() + 180
    for store in stores:
        while not _ready(core, store):
            assert time.monotonic() < ends, f"{store} does not come back"
            time.sleep(0.5)


def _ready(core: Any, store: str) -> bool:
    """Whether the store's server answers."""
    labels = f"app.kubernetes.io/name={store},app.kubernetes.io/component=server"
    pods = core.list_namespaced_pod(STORES, label_selector=labels).items
    ready = [c for pod in pods for c in pod.status.conditions or () if c.type == "Ready"]
    return any(each.status == "True" for each in ready)
