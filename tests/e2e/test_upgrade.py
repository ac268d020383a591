"""From the foundation's release to this one, and from this one to the next, in one cluster's life.

All that people put into the platform is there afterwards, and a served model answers throughout.
It takes half an hour: `make upgrade`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import releases
from tests.e2e.platform import Platform, taken_down
from tests.e2e.probing import Probe

pytestmark = pytest.mark.skipif(
    not os.environ.get("MLOPS_INFRA_UPGRADE"), reason="takes half an hour: make upgrade"
)
STACK, TENANT, MODEL, KEY = "upgrade", "demo", "wine", "upgrade/kept.txt"
LOST = {"tracking": 0.25, "endpoint": 0.01}
"""Shares that may fail. The foundation's cluster is started anew (its node had no network walls)
and its one MLflow with it; a model that this release serves answers through the next `up`."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    if os.geteuid() != 0:
        pytest.skip("a real node needs root")
    with taken_down(Platform(tmp_path_factory.mktemp("upgrade"), STACK, like="sandbox")) as found:
        yield found


def test_from_the_foundation_everything_is_kept(sandbox: Platform, tmp_path: Path) -> None:
    old = releases.foundation(tmp_path / "foundation")
    shutil.copy(old / "stacks" / sandbox.example.name, sandbox.file)
    releases.run(old, sandbox, "up", "-s", STACK, "--json")
    made = json.loads(releases.run(old, sandbox, "verify", "-s", STACK, "--json"))
    sandbox.objects("mlflow").put(KEY, b"kept")

    shutil.copy(sandbox.example, sandbox.file)
    url = f"{sandbox.outputs['tracking_uri']}/api/2.0/mlflow/runs/get"
    probe = Probe("tracking", f"{url}?run_id={made['trackingRun']}")
    with probe.running():
        sandbox.up()
    _tell(probe)
    assert probe.share <= LOST["tracking"], probe.lost
    assert not probe.asked[-1][1], "it answers again"
    _is_there(sandbox, made)
    assert sandbox.objects("mlflow").get(KEY) == b"kept"
    sandbox.settled()


def test_a_served_model_answers_through_the_next_release(sandbox: Platform, tmp_path: Path) -> None:
    assert sandbox.json("verify", "-s", STACK)["ok"]
    bucket = sandbox.objects(f"tenant-{TENANT}", TENANT)
    bucket.put(KEY, b"the tenant's own")
    answer, probe = _asked(sandbox)
    after = releases.next_one(tmp_path / "next")
    with probe.running():
        upgraded = json.loads(releases.run(after, sandbox, "up", "-s", STACK, "--json"))
    _tell(probe)
    assert upgraded["counts"], "the next release changes something"
    assert probe.share <= LOST["endpoint"], probe.lost
    assert _asked(sandbox)[0] == answer, "the same model says the same"
    assert bucket.get(KEY) == b"the tenant's own"
    assert json.loads(releases.run(after, sandbox, "up", "-s", STACK, "--json"))["counts"] == {}


def _is_there(sandbox: Platform, made: dict[str, Any]) -> None:
    """Run, registered version and lineage of what the older release's `verify` made."""
    from mlflow import MlflowClient

    client = MlflowClient(sandbox.outputs["tracking_uri"])
    run = client.get_run(made["trackingRun"])
    assert run.data.tags["mlops-infra.pipeline_run"] == made["pipelineRun"]
    _, name, version = made["model"].replace("models:/", "models/").split("/")
    assert client.get_model_version(name, version).run_id == made["trackingRun"]
    assert made["trackingRun"] in sandbox.ok("lineage", made["pipelineRun"], "-s", STACK).stdout


def _asked(sandbox: Platform) -> tuple[Any, Probe]:
    """What the served model says of one wine, and a probe that asks it the same."""
    from mlops_infra.lifecycle.gateway.client import GatewayClient
    from mlops_infra.lifecycle.services.credentials import ClusterSecrets
    from mlops_infra.lifecycle.verify.tour_data import request, rows

    url, asked = sandbox.outputs["serving_endpoint"], request(rows(1))
    token = ClusterSecrets(sandbox.kubeconfig).read(f"tenant-{TENANT}", "gateway-token")["token"]
    answer = GatewayClient(url, TENANT, token).infer(MODEL, asked)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    place = f"{url}/{TENANT}/v2/models/{MODEL}/infer"
    return answer["outputs"], Probe("endpoint", place, json.dumps(asked).encode(), headers)


def _tell(probe: Probe) -> None:
    sys.stderr.write(f"{probe.told()}\n")
