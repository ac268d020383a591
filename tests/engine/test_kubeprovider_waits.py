"""Waits of the stand-in provider: quick diagnosis, interruption, kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import ConfigMap, PersistentVolumeClaim, Service

from tests.engine.control_plane import ControlPlane
from tests.engine.killed_up import program as killed_program
from tests.engine.stacks import Stack
from tests.engine.workloads import deployment


def failing_up(stack: Stack, within: float) -> str:
    """Run an `up` that fails, and give what it said about it."""
    started = time.monotonic()
    with pytest.raises(Exception, match="failed"):
        stack.up()
    assert time.monotonic() - started < within
    return stack.output()


def test_a_broken_image_fails_in_seconds_and_the_next_up_heals(
    stack: Stack, namespace: str
) -> None:
    image = "missing/app:1"

    def program(opts: ResourceOptions) -> None:
        deployment("web", namespace, image, opts)
        Service(
            "web",
            metadata={"name": "web", "namespace": namespace},
            spec={"selector": {"app": "web"}, "ports": [{"port": 80}]},
            opts=opts,
        )

    stack.program = program
    said = failing_up(stack, within=20)
    assert f"Deployment {namespace}/web: Pod web-" in said
    assert "container main: ErrImagePull (image missing/app:1)" in said
    # the object exists and is recorded, so nothing is made twice
    assert len(stack.children("Deployment")) == 1
    stack.refresh()
    assert len(stack.children("Deployment")) == 1
    image = "good/app:1"
    stack.up()
    stack.destroy()


def test_a_crash_loop_is_told_with_its_exit_code(stack: Stack, namespace: str) -> None:
    stack.program = lambda opts: deployment("web", namespace, "crash/app:1", opts) and None
    assert "container main: crash loop, Error with exit code 3" in failing_up(stack, within=20)


def test_a_missing_storage_class_is_named(stack: Stack, namespace: str) -> None:
    def program(opts: ResourceOptions) -> None:
        PersistentVolumeClaim(
            "data",
            metadata={"name": "data", "namespace": namespace},
            spec={
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}},
            },
            opts=opts,
        )
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
        deployment("web", namespace, "good/app:1", opts, volumes=[volume])

    stack.program = program
    said = failing_up(stack, within=30)
    assert f"PersistentVolumeClaim {namespace}/data: StorageClass 'fast' does not exist" in said


def test_an_interrupted_wait_ends_at_once_and_is_resumed(
    make_stack: Callable[..., Stack], api_server: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    child = start_up(tmp_path / "stack", api_server, namespace)
    uid = wait_for_web(api_server, namespace)
    started = time.monotonic()
    os.killpg(child.pid, signal.SIGINT)
    child.wait(timeout=20)
    assert time.monotonic() - started < 15
    resume(make_stack, api_server, namespace, uid)


def test_kill_9_leaves_no_plugin_no_duplicate_and_no_orphan(
    make_stack: Callable[..., Stack], api_server: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    child = start_up(tmp_path / "stack", api_server, namespace)
    uid = wait_for_web(api_server, namespace)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    ends = time.monotonic() + 10
    while plugins_of(tmp_path) and time.monotonic() < ends:
        time.sleep(0.2)
    assert plugins_of(tmp_path) == []
    resume(make_stack, api_server, namespace, uid)


def start_up(folder: Path, api_server: ControlPlane, namespace: str) -> subprocess.Popen[bytes]:
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine.killed_up", folder, api_server.kubeconfig, namespace],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )


def wait_for_web(api_server: ControlPlane, namespace: str) -> str:
    """Wait until the Deployment exists; it never becomes ready."""
    for _ in range(600):
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
        live = api_server.request("GET", path)
        if live:
            return str(live["metadata"]["uid"])
        time.sleep(0.05)
    raise AssertionError("the child made no Deployment")


def plugins_of(folder: Path) -> list[str]:
    """Command lines of plugin processes whose environment names the test's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode()
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "mlops_infra.kubeprovider" in command and str(folder) in environment:
            found.append(command)
    return found


def resume(
    make_stack: Callable[..., Stack], api_server: ControlPlane, namespace: str, uid: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    stack = make_stack()
    stack.stack.cancel()
    stack.program = killed_program(namespace, "good/app:1")
    stack.up()
    live = api_server.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    assert live["metadata"]["uid"] == uid
    names = [item["metadata"]["name"] for item in api_server.request("GET", path)["items"]]
    assert len([name for name in names if name.startswith("auto-")]) == 1
    stack.destroy()
    names = [item["metadata"]["name"] for item in api_server.request("GET", path)["items"]]
    assert [name for name in names if name.startswith("auto-")] == []


def test_the_order_of_deletion_waits_for_finalizers(
    stack: Stack, api_server: ControlPlane, namespace: str
) -> None:
    def program(opts: ResourceOptions) -> None:
        meta = {"name": "held", "namespace": namespace, "finalizers": ["example.com/hold"]}
        note = {"pulumi.com/timeoutSeconds": "3"}
        ConfigMap("held", metadata={**meta, "annotations": note}, opts=opts)

    stack.program = program
    stack.up()
    with pytest.raises(Exception, match="held by finalizers example"):
        stack.destroy()
    path = f"/api/v1/namespaces/{namespace}/configmaps/held"
    api_server.request("PATCH", path, {"metadata": {"finalizers": None}})
    stack.destroy()
    assert stack.resources() == []
