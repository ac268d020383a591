"""Charts of Trainer and Katib that change, and back: what people have made is there and goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e import releases
from tests.e2e.platform import Platform, cluster_client
from tests.kubeflow.training import cluster, work
from tests.kubeflow.training.cluster import TENANT, Objects

OLD, NEW = "requests: {cpu: 50m,", "requests: {cpu: 40m,"
CONTROLLERS = ("katib-controller", "katib-db-manager", "katib-ui", "kubeflow-trainer", "jobset")


def test_results_outlive_an_upgrade_and_the_search_goes_on(
    training: Platform, tmp_path: Path
) -> None:
    admin = cluster_client(training)
    jobs, experiments = Objects(admin, "trainjobs"), Objects(admin, "experiments")
    jobs.ended("line", "Complete")
    before = experiments.ended("parabola", "Succeeded")
    measured = _measured(training)
    running = _controllers(training)
    release = releases.copied(tmp_path / "next")
    for chart in ("katib", "trainer"):
        values = release / "charts" / chart / "values.yaml"
        values.write_text(values.read_text("utf-8").replace(OLD, NEW), "utf-8")

    upgraded = json.loads(releases.run(release, training, "up", "-s", training.stack, "--json"))
    assert set(upgraded["counts"]) == {"update"}
    after = _controllers(training)
    assert len(after) == len(CONTROLLERS)
    assert not running & after, "every controller was replaced"
    assert jobs.ended("line", "Complete")["metadata"]["uid"]
    kept = experiments.ended("parabola", "Succeeded")
    assert kept["status"]["currentOptimalTrial"] == before["status"]["currentOptimalTrial"]
    assert _measured(training) == measured

    experiments.patch("parabola", {"spec": {"maxTrialCount": 5}})
    jobs.create(work.job("again"))
    experiments.ended("parabola", "Succeeded", trials=5)
    jobs.ended("again", "Complete")

    training.up()
    assert experiments.ended("parabola", "Succeeded", trials=5)


def _controllers(training: Platform) -> set[str]:
    """Ids of the Pods of the controllers and servers of both."""
    found = cluster.pods(training, "app.kubernetes.io/name in (katib,trainer)", "kubeflow")
    return {
        pod.metadata.uid
        for pod in found
        if pod.metadata.name.startswith(CONTROLLERS) and pod.metadata.deletion_timestamp is None
    }


def _measured(training: Platform) -> list[str]:
    """What the database has of each trial, as Katib's server reads it."""
    asked = f"fetch_hp_job_info/?namespace={TENANT}&experimentName=parabola"
    with cluster.katib_server(training) as ask:
        code, answer = ask(asked, {"kubeflow-userid": "lee"})
    assert code == 200, answer
    table: Any = json.loads(answer)
    rows = sorted(table.splitlines())
    assert len(rows) == 5, "a line of titles and four trials"
    return rows
