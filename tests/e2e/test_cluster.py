"""A real cluster on this machine: real Pods, volumes and network, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_infra import images, toolchain
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.cluster.bring_up import starting
from mlops_infra.cluster.node import footprint
from mlops_infra.cluster.supervision import control
from mlops_infra.progress import Event, quiet
from tests.e2e import cluster_objects
from tests.e2e.cluster_objects import ask
from tests.machine import left_behind
from tests.processes import command_lines

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="a real node needs root"),
]
CANARY = "canary-9f27c1d4"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_INFRA_DATA", str(folder))
        yield folder


@pytest.fixture(scope="module")
def before(data: Path) -> footprint.Footprint:
    return footprint.snapshot([data])


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def cluster(before: footprint.Footprint, events: list[Event]) -> Iterator[EmbeddedCluster]:
    one = EmbeddedCluster("e2e-one")
    try:
        one.start(events.append)
        yield one
    finally:
        one.delete(quiet)


@pytest.fixture(scope="module")
def kubectl(cluster: EmbeddedCluster) -> Callable[..., str]:
    return _kubectl(cluster)


def _kubectl(cluster: EmbeddedCluster) -> Callable[..., str]:
    binary = toolchain.ensure(["kubectl"], quiet)["kubectl"].path

    def run(*words: str, given: str | None = None) -> str:
        command = [str(binary), f"--kubeconfig={cluster.kubeconfig}", *words]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def store(cluster: EmbeddedCluster, kubectl: Callable[..., str]) -> str:
    """A Valkey with a volume, as somebody who may do nothing else: its Pod's name."""
    built = images.build("valkey", quiet)
    cluster.load([built], quiet)
    kubectl("apply", "-f", "-", given=_list(cluster_objects.store(built.reference)))
    objects = [*cluster_objects.server(built.reference), *cluster_objects.busy(built.reference)]
    kubectl("apply", "-f", "-", given=_list(objects))
    kubectl("rollout", "status", "statefulset/store", "--timeout=60s")
    return "store-0"


def _list(objects: list[dict[str, Any]]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def test_it_starts_in_time_and_says_how_long_each_step_took(
    cluster: EmbeddedCluster, events: list[Event]
) -> None:
    found = cluster.status()
    assert (found.phase, found.simulated) == ("running", False)
    assert {process.phase for process in found.processes} == {"running"}
    assert (found.network_policies, found.notes) == ("enforced", ())
    seconds = {e.title: e.seconds or 0 for e in events if e.kind == "finished"}
    assert seconds["Starting the control plane"] < 30
    assert seconds["Starting the node"] < 30


def test_starting_it_again_changes_nothing(cluster: EmbeddedCluster) -> None:
    again: list[Event] = []
    pids = {p.name: p.pid for p in cluster.status().processes}
    cluster.start(again.append)
    assert [e.outcome for e in again if e.kind == "finished"] == ["unchanged"]
    assert {p.name: p.pid for p in cluster.status().processes} == pids


def test_the_host_reaches_a_pod_through_its_node_port(cluster: EmbeddedCluster, store: str) -> None:
    assert ask(cluster.node_address, 30637, "PING") == "+PONG\r\n"


def test_exec_logs_and_port_forward(kubectl: Callable[..., str], store: str) -> None:
    seen = kubectl(
        "exec", store, "--", "sh", "-c", "id -u; grep -E 'Seccomp:|CapEff' /proc/1/status"
    )
    assert seen.split() == ["999", "CapEff:", "0000000000000000", "Seccomp:", "2"]
    # what enters a container later must land in its files, not in the node's or the host's
    assert "appendonlydir" in kubectl("exec", store, "--", "ls", "/data")
    assert "Ready to accept connections" in kubectl("logs", store)
    binary = toolchain.ensure(["kubectl"], quiet)["kubectl"].path
    command = [str(binary), "--kubeconfig", str(EmbeddedCluster("e2e-one").kubeconfig),
               "port-forward", store, ":6379"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        port = int(forward.stdout.readline().split()[2].rpartition(":")[2])
        assert ask("127.0.0.1", port, "PING") == "+PONG\r\n"
        forward.terminate()


def test_a_pod_resolves_names_and_reaches_services(kubectl: Callable[..., str], store: str) -> None:
    def cli(host: str) -> str:
        return kubectl("exec", store, "--", "valkey-cli", "-h", host, "ping").strip()

    assert cli("store") == "PONG"
    assert cli("store.default.svc.cluster.local") == "PONG"
    # the API server's own Service: anything but a refused connection proves the way
    health = kubectl("exec", store, "--", "sh", "-c",
                     "nc -w 3 kubernetes.default.svc 443 </dev/null && echo open")  # fmt: skip
    assert "open" in health


def test_a_name_outside_fails_at_once(kubectl: Callable[..., str], store: str) -> None:
    begun = time.monotonic()
    kubectl("exec", store, "--", "sh", "-c", "! nc -w 20 example.com 80 </dev/null")
    kubectl("exec", store, "--", "sh", "-c", "! nc -w 20 192.0.2.1 80 </dev/null")
    assert time.monotonic() - begun < 10


def test_the_api_server_wants_a_name_and_shows_its_own(cluster: EmbeddedCluster) -> None:
    url = cluster.status().apiserver
    context = ssl.create_default_context(cafile=str(cluster.layout.pki / "ca.crt"))
    with urllib.request.urlopen(f"{url}/readyz", context=context) as answer:  # noqa: S310
        assert answer.read() == b"ok"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{url}/api/v1/secrets", context=context)  # noqa: S310
    assert refused.value.code == 401
    refused.value.close()


def test_secrets_are_sealed_on_disk(cluster: EmbeddedCluster, kubectl: Callable[..., str]) -> None:
    kubectl("create", "secret", "generic", "sealed", f"--from-literal=password={CANARY}")
    for file in cluster.layout.folder.glob("keep/etcd/**/*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes()
    assert not any(CANARY in command for command in command_lines())


@pytest.fixture
def call(kubectl: Callable[..., str], store: str) -> Callable[..., str]:
    """One Pod calls another: what it hears, and how long it took to be told."""
    for name in ("server", "friend", "stranger"):
        kubectl("wait", "-n", "walls", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
    kubectl("wait", "pod/visitor", "--for=condition=Ready", "--timeout=60s")

    def run(namespace: str, pod: str, host: str, port: int = 6379) -> str:
        # a wall answers at once; silence would take the whole time and fail the test
        line = f"nc -w 4 {host} {port} </dev/null && echo open || echo refused"
        return kubectl("exec", "-n", namespace, pod, "--", "timeout", "3", "sh", "-c", line).strip()

    return run


def walls_hold(call: Callable[..., str], address: str) -> None:
    """Every way that the policies of `cluster_objects.server` speak of, and some that they do not.

    The server is Ready, so the kubelet's probes pass; names are resolved, so DNS passes.
    """
    assert call("walls", "friend", "server") == "open"
    assert call("walls", "friend", "server.walls.svc.cluster.local") == "open"
    assert call("walls", "stranger", "server") == "refused"
    assert call("default", "visitor", "server.walls") == "refused"
    assert call("walls", "friend", "store.default") == "refused"
    assert call("walls", "friend", "kubernetes.default", 443) == "refused"
    assert call("default", "visitor", "kubernetes.default", 443) == "open"
    assert call("default", "visitor", "store") == "open"
    with pytest.raises(OSError, match="No route to host"):
        socket.create_connection((address, 30638), timeout=3).close()


def test_network_policies_hold_between_pods(
    cluster: EmbeddedCluster, call: Callable[..., str], kubectl: Callable[..., str]
) -> None:
    walls_hold(call, cluster.node_address)
    open_to_all = cluster_objects.policy(
        "door", {"app": "server"}, ["Ingress"], ingress=[{"ports": [{"port": 6379}]}]
    )
    kubectl("apply", "-f", "-", given=json.dumps(open_to_all))
    assert ask(cluster.node_address, 30638, "PING") == "+PONG\r\n"
    assert call("default", "visitor", "server.walls") == "open"
    assert call("walls", "stranger", "server") == "refused"
    kubectl("delete", "networkpolicy", "door", "-n", "walls")


def test_a_pod_has_its_walls_from_its_first_breath(
    kubectl: Callable[..., str], call: Callable[..., str]
) -> None:
    image = kubectl("get", "pod", "store-0", "-o", "jsonpath={.spec.containers[0].image}")
    address = kubectl("get", "pod", "store-0", "-o", "jsonpath={.status.podIP}")
    assert call("default", "visitor", address) == "open"
    kubectl("apply", "-f", "-", given=_list(cluster_objects.at_once(image, address)))
    for name, heard in (("spy", "end"), ("hasty", "in\nend")):
        kubectl("wait", "-n", "walls", f"pod/{name}", "--timeout=60s",
                "--for=jsonpath={.status.phase}=Succeeded")  # fmt: skip
        assert kubectl("logs", "-n", "walls", name).strip() == heard
        kubectl("delete", "pod", name, "-n", "walls", "--timeout=30s")


def test_figures_of_real_pods_scale_a_deployment(kubectl: Callable[..., str], store: str) -> None:
    deadline = time.monotonic() + 90
    while kubectl("get", "deployment/busy", "-o", "jsonpath={.status.replicas}") != "2":
        assert time.monotonic() < deadline, kubectl("describe", "hpa/busy")
        time.sleep(0.5)
    name, cpu, memory = kubectl("top", "pod", store, "--no-headers").split()
    assert (name, cpu[-1], memory[-2:]) == (store, "m", "Mi")
    assert int(memory[:-2]) > 0
    kubectl("delete", "deployment/busy", "hpa/busy", "--timeout=60s")


def test_a_simulated_node_stands_beside_the_real_one_and_is_told_apart(
    cluster: EmbeddedCluster, kubectl: Callable[..., str], store: str
) -> None:
    real = cluster.status().pods
    found = cluster.start(quiet, simulated_node=True)
    assert [node.simulated for node in found.nodes] == [False, True]
    kubectl("apply", "-f", "-", given=_list(cluster_objects.simulated()))
    kubectl("rollout", "status", "deployment/played", "--timeout=30s")
    kubectl("wait", "job/played", "--for=condition=Complete", "--timeout=30s")
    found = cluster.status()
    assert found.pods == real
    assert found.simulated_pods == {"Running": 1, "Succeeded": 1}
    assert any("simulated-0" in note for note in found.notes)
    kubectl("delete", "deployment/played", "job/played", "--timeout=30s")


def test_data_survives_a_stop(cluster: EmbeddedCluster, store: str) -> None:
    assert ask(cluster.node_address, 30637, "SET kept stop").startswith("+OK")
    cluster.stop(quiet)
    assert cluster.status().phase == "stopped"
    cluster.start(quiet)
    assert "stop" in ask(cluster.node_address, 30637, "GET kept")


def test_data_and_walls_survive_a_kill_of_everything(
    cluster: EmbeddedCluster, store: str, call: Callable[..., str]
) -> None:
    assert ask(cluster.node_address, 30637, "SET kept kill").startswith("+OK")
    pid = control.inner(cluster.layout)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again: list[Event] = []
    found = cluster.start(again.append)
    assert found.phase == "running"
    # a simulated node that was there is there again, and nobody waits for its Pods
    assert [node.simulated for node in found.nodes] == [False, True]
    (back,) = (e for e in again if e.kind == "finished" and e.title == "Bringing Pods back")
    assert (back.seconds or 0) < starting.PODS_PATIENCE / 2
    assert "kill" in ask(cluster.node_address, 30637, "GET kept")
    walls_hold(call, cluster.node_address)


def test_a_deleted_claim_takes_its_folder_along(
    cluster: EmbeddedCluster, kubectl: Callable[..., str], store: str
) -> None:
    volumes = cluster.layout.kept("volumes")
    assert len(list(volumes.iterdir())) == 1
    kubectl("delete", "statefulset/store", "pvc/data-store-0", "--timeout=60s")
    deadline = time.monotonic() + 30
    while list(volumes.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert list(volumes.iterdir()) == []


def test_two_clusters_live_side_by_side_and_go_without_a_trace(
    cluster: EmbeddedCluster, before: footprint.Footprint, data: Path
) -> None:
    two = EmbeddedCluster("e2e-two")
    try:
        two.start(quiet)
        assert two.node_address != cluster.node_address
        _kubectl(two)("create", "configmap", "only-here")
        assert "only-here" not in _kubectl(cluster)("get", "configmap", "-o", "name")
    finally:
        two.delete(quiet)
    assert _kubectl(cluster)("get", "--raw", "/readyz") == "ok"
    seen = {line.partition(":")[0] for line in left_behind(before, data, cluster.name)}
    assert {"processes", "links", "cgroups", "files"} <= seen, "what is there is noticed"
    cluster.delete(quiet)
    assert left_behind(before, data, cluster.name, two.name) == []
