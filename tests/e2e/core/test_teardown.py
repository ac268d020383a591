"""`down` with everything that can stand in its way; nothing is left for tests after these."""

from __future__ import annotations

import time
from typing import Any

from tests.e2e.platform import Platform, cluster_client, told
from tests.figures import record


def test_protected_things_stop_down(platform: Platform) -> None:
    platform.configure(protect=True)
    platform.up()
    refused = platform.run("down", "-s", "core")
    assert refused.returncode == 2, told(refused)
    assert "postgresql/StatefulSet/postgresql" in refused.stderr
    assert "--purge" in refused.stderr
    assert platform.json("status", "-s", "core")["problems"] == []
    platform.configure()
    platform.up()


def test_kept_data_is_found_by_the_next_up(platform: Platform) -> None:
    from mlflow import MlflowClient

    run = MlflowClient(platform.outputs["tracking_uri"]).create_run("0", run_name="kept")
    down = platform.json("down", "-s", "core", "--keep-data")
    assert down["leftovers"] == []
    claims = {line.partition(" ")[0] for line in down["kept"]}
    assert {"mlops-stores/data-postgresql-0", "mlops-stores/data-valkey-0"} <= claims
    assert any(str(platform.data) in line for line in down["kept"])
    platform.up()
    client = MlflowClient(platform.outputs["tracking_uri"])
    assert client.get_run(run.info.run_id).info.run_name == "kept"


def test_a_broken_configuration_stops_up_but_not_down(platform: Platform) -> None:
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(cluster_client(platform))
    core.create_namespaced_config_map("default", _stuck("stuck", "mlops-infra.dev/nobody"))
    core.create_namespaced_config_map("mlops-stores", _stuck("held", "example.com/protect"))
    platform.file.write_text("config: [this is: not\n\tYAML", encoding="utf-8")
    assert platform.run("up", "-s", "core").returncode == 2
    started = time.monotonic()
    down = platform.run("down", "-s", "core", "--keep-cluster")
    record("teardown_keep_cluster", time.monotonic() - started, "named in")
    assert down.returncode == 3, told(down)
    assert "mlops-stores/held" in down.stderr
    assert "example.com/protect" in down.stderr
    assert "--remove-blockers" in down.stderr
    down = platform.run("down", "-s", "core", "--keep-cluster", "--remove-blockers")
    assert down.returncode == 3, told(down)
    assert "ConfigMap default/stuck" in down.stderr
    assert "mlops-infra.dev/nobody" in down.stderr
    left = {each.metadata.name for each in core.list_namespace().items}
    assert left == {"default", "kube-system", "kube-public", "kube-node-lease"}
    assert core.list_persistent_volume().items == []
    free: dict[str, Any] = {"metadata": {"finalizers": None}}
    core.patch_namespaced_config_map("stuck", "default", free)


def test_a_second_down_finds_nothing_to_do(platform: Platform) -> None:
    down = platform.json("down", "-s", "core")
    assert (down["removed"], down["kept"], down["leftovers"]) == (0, [], [])
    assert not platform.data.exists()
    again = platform.json("down", "-s", "core")
    assert again["removed"] == 0


def _stuck(name: str, finalizer: str) -> dict[str, Any]:
    """An object with our label that nobody will ever let go."""
    labels = {"mlops-infra.dev/stack": "core"}
    return {"metadata": {"name": name, "labels": labels, "finalizers": [finalizer]}}
