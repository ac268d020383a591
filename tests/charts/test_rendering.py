"""What the charts make of their values, and that nobody changes it unseen."""

from __future__ import annotations

import ast
import difflib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.charts.rendering import (
    CASES,
    CHARTS,
    NAMES,
    STATEFUL,
    Manifest,
    golden,
    one,
    planned,
    planned_text,
    pods,
    render,
    text,
)

UPDATE = "UPDATE_GOLDEN"
"""Set in the environment, golden files are written instead of compared."""


@pytest.mark.parametrize(("stack", "component"), planned())
def test_renders_are_as_reviewed(stack: str, component: str) -> None:
    now, file = planned_text(stack, component), golden(stack, component)
    if os.environ.get(UPDATE):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(now, "utf-8")
    reviewed = file.read_text("utf-8") if file.exists() else ""
    changed = "\n".join(difflib.unified_diff(reviewed.splitlines(), now.splitlines(), lineterm=""))
    assert not changed, f"look at the change, then {UPDATE}=1 make test:\n{changed}"


def test_no_golden_file_is_left_from_a_chart_that_is_gone() -> None:
    files = {
        f.relative_to(golden("x", "y").parents[1])
        for f in golden("x", "y").parents[1].rglob("*.yaml")
    }
    wanted = {golden(s, c).relative_to(golden("x", "y").parents[1]) for s, c in planned()}
    assert files == wanted


def _by_name(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in manifests}


def test_another_database_is_another_job_and_nothing_else() -> None:
    before = _by_name(render("postgresql", {"databases": [{"secret": "mlflow-db"}]}))
    after = _by_name(
        render("postgresql", {"databases": [{"secret": "mlflow-db"}, {"secret": "feast-db"}]})
    )
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert len(changed) == 2
    assert all(key.startswith("Job/postgresql-databases-") for key in changed)


@pytest.mark.parametrize(
    "change",
    [
        {"images": {"server": "docker.io/library/postgres:17.10"}},
        {"auth": {"revision": "2"}},
        {"job": {"resources": {"limits": {"memory": "256Mi"}}}},
        {"podLabels": {"team": "vision"}},
    ],
    ids=str,
)
def test_whatever_changes_the_jobs_pod_renames_the_job(change: Manifest) -> None:
    """A Job's Pod is immutable: under the same name the API server would refuse the change."""
    databases = {"databases": [{"secret": "mlflow-db"}]}
    before = one(render("postgresql", databases), "Job")
    after = one(render("postgresql", {**databases, **change}), "Job")
    assert before["metadata"]["name"] != after["metadata"]["name"]


@pytest.mark.parametrize("chart", NAMES)
def test_new_configuration_is_a_new_object_that_pods_name(chart: str) -> None:
    """Otherwise a Pod could start on the old text, and keep it."""
    fixed = CASES[chart].maps_by_name
    maps = [
        m for m in render(chart) if m["kind"] == "ConfigMap" and m["metadata"]["name"] not in fixed
    ]
    for each in maps:
        assert each["immutable"] is True
    # of custom resources too: a controller makes their Pods
    using = json.dumps([each.get("spec") for each in render(chart)])
    for each in maps:
        assert f'"{each["metadata"]["name"]}"' in using


def test_changed_configuration_has_another_name() -> None:
    changed = render("postgresql", {"settings": {"work_mem": "8MB"}})
    names = {m["metadata"]["name"] for m in changed if m["kind"] == "ConfigMap"}
    assert not names & {m["metadata"]["name"] for m in render("postgresql")}


@pytest.mark.parametrize("chart", STATEFUL)
def test_the_volume_goes_or_stays_as_the_values_say(chart: str) -> None:
    for retain, policy in ((True, "Retain"), (False, "Delete")):
        values = {"persistence": {"retain": retain, "size": "7Gi", "storageClass": "fast"}}
        spec = one(render(chart, values), "StatefulSet")["spec"]
        assert spec["persistentVolumeClaimRetentionPolicy"] == {
            "whenDeleted": policy,
            "whenScaled": "Retain",
        }
        claim = spec["volumeClaimTemplates"][0]["spec"]
        assert claim["storageClassName"] == "fast"
        assert claim["resources"]["requests"]["storage"] == "7Gi"


@pytest.mark.parametrize("chart", STATEFUL)
def test_no_upgrade_touches_what_a_stateful_set_cannot_change(chart: str) -> None:
    """Selector and volume claims are immutable; changing them would replace the store."""
    before = one(render(chart), "StatefulSet")["spec"]
    values = {"podLabels": {"team": "vision"}, "images": {"server": "docker.io/x/y:2"}}
    after = one(render(chart, values), "StatefulSet")["spec"]
    for field in ("selector", "serviceName", "volumeClaimTemplates"):
        assert before[field] == after[field]
    assert before["template"] != after["template"]


@pytest.mark.parametrize("chart", STATEFUL)
def test_a_store_that_never_got_ready_is_replaced_by_a_mended_one(chart: str) -> None:
    """Seen on a cluster: with OrderedReady the Pod of a wrong image stays until it is deleted."""
    spec = one(render(chart), "StatefulSet")["spec"]
    assert spec["podManagementPolicy"] == "Parallel"


def test_clients_get_artifacts_through_mlflow_unless_told_otherwise() -> None:
    """Seen from outside a cluster: a download by signed URL hangs for ten minutes."""
    for direct in (False, True):
        manifests = render("mlflow", {"objectStore": {"direct": direct}})
        files = one(manifests, "ConfigMap")["data"]
        server = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]
        assert {"name": "PYTHONPATH", "value": "/etc/mlflow"} in server["env"]
        assert ("through_server.py" in files) == (not direct)
        assert ("import through_server" in files["sitecustomize.py"]) == (not direct)


def test_mlflow_answers_to_every_name_of_its_service_with_and_without_port() -> None:
    values = {"allowedHosts": ["mlflow.example.com", "10.9.8.7", "mlflow"]}
    deployment = one(render("mlflow", values), "Deployment")
    variables = {
        v["name"]: v.get("value")
        for v in pods([deployment])["Deployment/mlflow"]["spec"]["containers"][0]["env"]
    }
    hosts = variables["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    for name in ("mlflow", "mlflow.mlflow", "mlflow.mlflow.svc", "mlflow.mlflow.svc.cluster.local"):
        assert {name, f"{name}:*"} <= set(hosts)
    assert {"mlflow.example.com", "mlflow.example.com:*", "10.9.8.7:*", "10.0.0.0/8"} <= set(hosts)
    assert len(hosts) == len(set(hosts))
    assert "*" not in hosts
    closed = text("mlflow", {**values, "allowPrivateAddresses": False})
    assert "192.168.0.0/16" not in closed


def test_telemetry_and_job_runners_are_off_in_every_container_of_mlflow() -> None:
    for pod in pods(render("mlflow")).values():
        for container in (*pod["spec"]["initContainers"], *pod["spec"]["containers"]):
            env = {v["name"]: v.get("value") for v in container["env"]}
            assert env["DO_NOT_TRACK"] == env["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert env["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_mlflow_is_given_time_to_start() -> None:
    probe = one(render("mlflow"), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    start = probe["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 120


def test_several_mlflow_replicas_keep_one_through_a_drain() -> None:
    kinds = [m["kind"] for m in render("mlflow", {"replicas": 2})]
    assert "PodDisruptionBudget" in kinds
    assert "PodDisruptionBudget" not in [m["kind"] for m in render("mlflow")]


@pytest.mark.parametrize("file", sorted(CHARTS.glob("*/files/*.sh")), ids=lambda f: f.name)
def test_scripts_are_shell(file: Path) -> None:
    subprocess.run(["sh", "-n", str(file)], check=True)


@pytest.mark.parametrize("file", sorted(CHARTS.glob("*/files/*.py")), ids=lambda f: f.name)
def test_python_files_are_for_the_images_interpreter(file: Path) -> None:
    ast.parse(file.read_text("utf-8"), feature_version=(3, 11))
