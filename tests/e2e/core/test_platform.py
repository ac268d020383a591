"""The platform as a user meets it: real Pods, no changes twice, small changes small, no secrets."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.platform import ROOT, Platform, cluster_client, told
from tests.processes import command_lines


def test_after_a_killed_up_and_the_next_nothing_is_left_to_change(shipped: Platform) -> None:
    shipped.settled()
    done = shipped.ok("up", "-s", "core")
    assert "Comparing with the last run (unchanged)" in done.stderr
    assert "Comparing with what is there" not in done.stderr


def test_every_component_is_a_real_container_without_root(platform: Platform) -> None:
    from kubernetes.client import CoreV1Api

    pods = CoreV1Api(cluster_client(platform)).list_pod_for_all_namespaces(
        label_selector="mlops-infra.dev/stack=core", field_selector="status.phase=Running"
    )
    components = {pod.metadata.labels["mlops-infra.dev/component"] for pod in pods.items}
    assert components == {"postgresql", "valkey", "versitygw", "mlflow"}
    for pod in pods.items:
        for status in pod.status.container_statuses:
            assert status.ready
            assert status.container_id.startswith("containerd://")
            (user,) = _users_of(status.container_id.removeprefix("containerd://"))
            assert user != 0, pod.metadata.name


def _users_of(container: str) -> set[int]:
    """The users that a container's processes have on this machine, as its kernel sees them."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if container in (folder / "cgroup").read_text(encoding="utf-8"):
                found.add(folder.stat().st_uid)
        except OSError:
            continue  # it ended while we looked
    assert found, f"no process of container {container}"
    return found


def test_status_shows_every_component_ready(shipped: Platform) -> None:
    status = shipped.json("status", "-s", "core")
    assert status["cluster"] == "running"
    assert status["problems"] == []
    assert {pod["component"] for pod in status["pods"]} == {c["name"] for c in status["components"]}


def test_plain_pulumi_sees_the_same_program_and_state(shipped: Platform) -> None:
    before = _git_status()
    exports = shipped.ok("env", "-s", "core").stdout
    script = f"{exports}\npulumi preview -s core --non-interactive --expect-no-changes"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT, env=shipped.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, told(done)
    assert re.search(r"\d+ unchanged", done.stdout)
    assert _git_status() == before


def _git_status() -> str:
    return subprocess.run(
        ["git", "status", "--porcelain", "--", "stacks", "Pulumi.yaml"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_plain_pulumi_refuses_a_configuration_that_changed_since(platform: Platform) -> None:
    exports = platform.ok("env", "-s", "core").stdout
    platform.configure(components={"mlflow": {"settings": {"workers": 5}}})
    done = subprocess.run(
        ["bash", "-c", f"{exports}\npulumi preview -s core --non-interactive"],
        cwd=ROOT, env=platform.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "has changed since its private copy was made" in done.stdout + done.stderr


def test_losing_a_database_is_refused_and_the_key_is_named(shipped: Platform) -> None:
    shipped.configure(stores={"sql": {"size": "7Gi"}})
    refused = shipped.run("up", "-s", "core")
    assert refused.returncode == 2, told(refused)
    assert "nothing was changed" in refused.stderr
    assert "mlops-infra:allowReplace: [postgresql/StatefulSet/postgresql]" in refused.stderr
    assert "spec.volumeClaimTemplates" in refused.stderr
    shipped.configure()
    shipped.settled()


def test_removing_a_store_is_refused_too(platform: Platform) -> None:
    platform.configure(stores={"kv": {"state": "removed"}})
    refused = platform.run("up", "-s", "core")
    assert refused.returncode == 2, told(refused)
    assert "valkey/StatefulSet/valkey" in refused.stderr


def test_one_value_changes_one_component(shipped: Platform) -> None:
    shipped.configure(components={"mlflow": {"settings": {"workers": 2}}})
    planned = shipped.json("preview", "-s", "core")
    assert planned["changes"]
    done = shipped.up()
    for change in done["changes"]:
        assert change["name"].startswith("mlflow/mlflow"), change
    assert {change["kind"] for change in done["changes"]} <= {"Deployment", "ConfigMap"}


def test_no_secret_lies_about_in_clear(platform: Platform) -> None:
    """Canaries: the generated passwords and the passphrase, plain and in base64."""
    from mlops_infra.components import passwords

    room = platform.data / "stacks" / "core"
    seed = (room / "seed").read_bytes().strip()
    names = ("postgresql-admin", "mlflow-db", "valkey-auth", "object-store-root")
    plain = [passwords.generated(seed, "core", each) for each in names]
    assert plain[0] in _secrets(platform), "the canary is not what is deployed"
    plain += [(room / "passphrase").read_text().strip(), seed.decode()]
    canaries = [*plain, *(base64.b64encode(each.encode()).decode() for each in plain)]
    for file in (room / "seed", room / "passphrase"):
        assert file.stat().st_mode & 0o777 == 0o600

    platform.configure(components={"mlflow": {"settings": {"workers": 3}}})
    output, commands = _watched_up(platform)
    assert not [each for each in canaries if each in output], "in the output of up -v"
    assert not [each for each in canaries if each in commands], "in a command line"
    for folder in (platform.data / "state", room, Path(_pulumi_home(platform)) / "logs"):
        for file in folder.rglob("*"):
            if file.is_file() and file.name not in {"seed", "passphrase"}:
                text = _text(file)
                assert not [each for each in canaries if each in text], file
    shown = _configuration(platform)
    assert not [each for each in canaries if each in shown], "in a ConfigMap, a Pod or a log"


def _secrets(platform: Platform) -> str:
    from kubernetes.client import CoreV1Api

    items = CoreV1Api(cluster_client(platform)).list_namespaced_secret("mlops-stores").items
    return " ".join(
        base64.b64decode(value).decode() for each in items for value in (each.data or {}).values()
    )


def _watched_up(platform: Platform) -> tuple[str, str]:
    """Run `up -v` and collect what it prints and every command line there is meanwhile."""
    commands: set[str] = set()
    child = platform.start(
        "up", "-s", "core", "-v", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    while child.poll() is None:
        commands.update(command_lines())
        time.sleep(0.02)
    output = child.communicate()[0]
    assert child.returncode == 0, output
    return output, "\n".join(commands)


def _pulumi_home(platform: Platform) -> str:
    exports = platform.ok("env", "-s", "core").stdout
    return re.search(r"export PULUMI_HOME=(\S+)", exports).group(1)  # type: ignore[union-attr]


def _text(file: Path) -> str:
    import gzip

    raw = file.read_bytes()
    return (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode(errors="replace")


def _configuration(platform: Platform) -> str:
    from kubernetes.client import AppsV1Api, CoreV1Api

    client = cluster_client(platform)
    core = CoreV1Api(client)
    found = [core.list_config_map_for_all_namespaces(), core.list_pod_for_all_namespaces()]
    found += [AppsV1Api(client).list_deployment_for_all_namespaces()]
    logs = [
        core.read_namespaced_pod_log(pod.metadata.name, pod.metadata.namespace, container=each.name)
        for pod in core.list_pod_for_all_namespaces(
            label_selector="mlops-infra.dev/stack=core"
        ).items
        for each in pod.spec.containers
    ]
    return "\n".join([*map(str, found), *logs])


def test_ctrl_c_is_answered_and_up_goes_on(platform: Platform) -> None:
    platform.configure(components={"mlflow": {"settings": {"workers": 4}}})
    child = platform.start("up", "-s", "core", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stderr is not None
    for line in child.stderr:
        if "Deploying" in line or "Comparing" in line:
            break
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130, said
    assert "run the same command again" in said
    assert platform.processes() == []
    platform.up()


def test_data_survives_the_death_of_the_whole_cluster(platform: Platform) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(platform.outputs["tracking_uri"])
    run = client.create_run("0", run_name="survivor").info.run_id
    _kill_cluster(platform)
    platform.ok("cluster", "start", "core")
    platform.settled()
    again = MlflowClient(platform.outputs["tracking_uri"])
    assert _patient(lambda: again.get_run(run).info.run_name) == "survivor"


def _kill_cluster(platform: Platform) -> None:
    """kill -9 of everything that runs in the cluster, its supervisor included."""
    from mlops_infra.cluster.instance.layout import Layout
    from mlops_infra.cluster.node import cgroups

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_INFRA_DATA", str(platform.data))
        group = Layout.of("core").cgroup
        for process in cgroups.members(group):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue  # gone with its parent
        for _ in range(100):
            if not cgroups.members(group):
                return
            time.sleep(0.1)
    raise AssertionError("the cluster's processes do not die")


def _patient(ask: Any) -> Any:
    """The first answer within a minute: the node's Pods come back one after the other."""
    from mlflow.exceptions import MlflowException

    ends = time.monotonic() + 60
    while True:
        try:
            return ask()
        except MlflowException:
            if time.monotonic() > ends:
                raise
            time.sleep(1)
