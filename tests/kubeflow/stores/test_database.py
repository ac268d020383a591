"""CloudNativePG: the primary dies while a client writes, and nothing acknowledged is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.cluster_objects import CONTAINER_SECURITY, POD_SECURITY
from tests.e2e.platform import Platform, cluster_client

NAMESPACE = "mlops-stores"
SERVERS = 3
WRITER = """
until psql -c 'create table if not exists written (number int primary key)'; do sleep 1; done
number=0
while :; do
  number=$((number + 1))
  if timeout 10 psql -c "insert into written values ($number)"; then
    echo "acknowledged $number"
  else
    sleep 0.2
  fi
done
"""
"""Each row in a session of its own; a number is written at most once."""


def test_a_failover_loses_nothing_that_was_acknowledged(platform: Platform) -> None:
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(cluster_client(platform))
    _wait("all servers to be ready", lambda: _status(platform).get("readyInstances") == SERVERS)
    before = _status(platform)["currentPrimary"]
    with _writing(platform) as acknowledged:
        _wait("the first rows", lambda: len(acknowledged()) >= 20)
        core.delete_namespaced_pod(before, NAMESPACE, grace_period_seconds=0)
        _wait("another primary", lambda: _status(platform)["currentPrimary"] != before)
        so_far = len(acknowledged())
        _wait("rows after the failover", lambda: len(acknowledged()) >= so_far + 20)
        promised = set(acknowledged())
    primary = _status(platform)["currentPrimary"]
    rows = _exec(core, primary, "psql -At mlflow -c 'select number from written'").split()
    assert promised <= set(map(int, rows))
    _wait("the old primary to follow", lambda: _status(platform)["readyInstances"] == SERVERS)
    standbys = "select count(*) from pg_stat_replication where state = 'streaming'"
    _wait(
        "both standbys to stream",
        lambda: _exec(core, primary, f'psql -At -c "{standbys}"').strip() == str(SERVERS - 1),
    )
    assert platform.json("status", "-s", platform.stack)["problems"] == []


def test_after_the_failover_the_platform_writes_and_nothing_is_to_be_changed(
    platform: Platform,
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(platform.outputs["tracking_uri"])
    run = client.create_run("0", run_name="after a failover")
    assert client.get_run(run.info.run_id).info.run_name == "after a failover"
    assert platform.up()["counts"] == {}


def _status(platform: Platform) -> dict[str, Any]:
    from kubernetes.client import CustomObjectsApi

    api: Any = CustomObjectsApi(cluster_client(platform))
    found = api.get_namespaced_custom_object(
        "postgresql.cnpg.io", "v1", NAMESPACE, "clusters", "postgresql"
    )
    status: dict[str, Any] = found["status"]
    return status


def _exec(core: Any, pod: str, command: str) -> str:
    from kubernetes.stream import stream

    shell = stream(
        core.connect_get_namespaced_pod_exec, pod, NAMESPACE, container="postgres",
        command=["sh", "-c", command], stdout=True, stderr=True, stdin=False, tty=False,
        _preload_content=False,
    )  # fmt: skip
    try:
        shell.run_forever(timeout=60)
        said: str = shell.read_all()
    finally:
        shell.close()
    return said


@contextmanager
def _writing(platform: Platform) -> Iterator[Callable[[], list[int]]]:
    """A client of the database that writes rows; gives the numbers that it got an answer for."""
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(cluster_client(platform))
    core.create_namespaced_pod("mlflow", _writer(_image(core)))

    def acknowledged() -> list[int]:
        phase = core.read_namespaced_pod("writer", "mlflow").status.phase
        if phase == "Pending":
            return []
        said = core.read_namespaced_pod_log("writer", "mlflow")
        return [int(line.split()[1]) for line in said.splitlines() if line.startswith("acknow")]

    try:
        yield acknowledged
    finally:
        core.delete_namespaced_pod("writer", "mlflow", grace_period_seconds=0)


def _image(core: Any) -> str:
    pods = core.list_namespaced_pod(NAMESPACE, label_selector="cnpg.io/cluster=postgresql").items
    image: str = pods[0].spec.containers[0].image
    return image


def _writer(image: str) -> dict[str, Any]:
    """In MLflow's name: its account, and the label that the store's NetworkPolicy lets in."""
    account = {"PGUSER": "username", "PGPASSWORD": "password", "PGDATABASE": "database"}
    values = {"PGHOST": f"postgresql.{NAMESPACE}.svc", "PGCONNECT_TIMEOUT": "3"}
    return {
        "metadata": {"name": "writer", "labels": {"app.kubernetes.io/name": "mlflow"}},
        "spec": {
            "securityContext": {**POD_SECURITY, "seccompProfile": {"type": "RuntimeDefault"}},
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [
                {
                    "name": "writer",
                    "image": image,
                    "command": ["sh", "-c", WRITER],
                    "env": [
                        *({"name": name, "value": value} for name, value in values.items()),
                        *(
                            {
                                "name": name,
                                "valueFrom": {"secretKeyRef": {"name": "mlflow-db", "key": key}},
                            }
                            for name, key in account.items()
                        ),
                    ],
                    "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
                    "securityContext": CONTAINER_SECURITY,
                }
            ],
        },
    }


def _wait(what: str, condition: Callable[[], bool], seconds: float = 300) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited {seconds:.0f} s for {what}"
        time.sleep(1)
