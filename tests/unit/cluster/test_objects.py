from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_infra.cluster import status
from mlops_infra.cluster.api.client import ApiError
from mlops_infra.cluster.bring_up import image_loading, readiness
from mlops_infra.cluster.control_plane import (
    addons,
    extra_processes,
    metrics,
    pki,
    processes,
    simulated_nodes,
)
from mlops_infra.cluster.control_plane.volume_provisioner import DRIVER, Provisioner, volume_for
from mlops_infra.cluster.instance.identity import Identity
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import configuration

CLAIM: dict[str, Any] = {
    "metadata": {
        "name": "data", "namespace": "ns", "uid": "u1",
        "annotations": {"volume.kubernetes.io/selected-node": "one"},
    },
    "spec": {
        "storageClassName": "local-path", "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
    },
    "status": {"phase": "Pending"},
}  # fmt: skip


class FakeApi:
    def __init__(self, provisioner: str = DRIVER) -> None:
        self.kind = {"provisioner": provisioner, "reclaimPolicy": "Delete"}
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def get(self, path: str) -> dict[str, Any]:
        return self.kind

    def create(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        if any(known["metadata"]["name"] == value["metadata"]["name"] for known in self.created):
            raise ApiError(409, "exists")
        self.created.append(value)
        return value

    def delete(self, path: str) -> None:
        self.deleted.append(path)


def test_a_claim_gets_a_local_volume_on_its_node_once(tmp_path: Path) -> None:
    api = FakeApi()
    provisioner = Provisioner(api, tmp_path, "/node/volumes")  # type: ignore[arg-type]
    provisioner.claim(CLAIM)
    provisioner.claim(CLAIM)
    (volume,) = api.created
    assert volume["spec"]["local"] == {"path": "/node/volumes/pvc-u1"}
    assert volume["spec"]["claimRef"]["uid"] == "u1"
    assert (tmp_path / "pvc-u1").is_dir()


@pytest.mark.parametrize("change", ["other driver", "no node", "bound"])
def test_claims_that_are_not_ours_are_left_alone(tmp_path: Path, change: str) -> None:
    api = FakeApi("someone.else/driver" if change == "other driver" else DRIVER)
    claim = json.loads(json.dumps(CLAIM))
    if change == "no node":
        claim["metadata"]["annotations"] = {}
    if change == "bound":
        claim["status"]["phase"] = "Bound"
    Provisioner(api, tmp_path, "/v").claim(claim)  # type: ignore[arg-type]
    assert api.created == []


@pytest.mark.parametrize(("policy", "gone"), [("Delete", True), ("Retain", False)])
def test_a_released_volume_goes_unless_it_is_retained(
    tmp_path: Path, policy: str, gone: bool
) -> None:
    api = FakeApi()
    volume = volume_for(CLAIM, {"reclaimPolicy": policy}, node="one", shown="/v")
    volume["status"] = {"phase": "Released"}
    (tmp_path / "pvc-u1").mkdir()
    (tmp_path / "pvc-u1/file").write_text("data")
    Provisioner(api, tmp_path, "/v").volume(volume)  # type: ignore[arg-type]
    assert (tmp_path / "pvc-u1").exists() is not gone
    assert bool(api.deleted) is gone


def test_the_stream_of_an_image_holds_it_alone_names_it_and_leaves_out_known_layers(
    tmp_path: Path,
) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return f"sha256:{digest}"

    base, wheels, code, _other = put(b"base"), put(b"wheels"), put(b"code"), put(b"an SBOM")
    settings = put(json.dumps({"rootfs": {"diff_ids": [base, wheels, code]}}).encode())
    manifest = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": settings},
        "layers": [{"digest": each} for each in (base, wheels, code)],
    }
    digest = put(json.dumps(manifest).encode())
    image = SimpleNamespace(reference="mlops-infra.local/x:1-a", digest=digest, layout=tmp_path)

    def streamed(unpacked: tuple[str, ...] = ()) -> tuple[Any, set[str], int]:
        sizes: list[int] = []
        target = io.BytesIO()
        image_loading.stream(image, target, sizes.append, unpacked)  # type: ignore[arg-type]
        target.seek(0)
        with tarfile.open(fileobj=target) as tar:
            index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]
            names = [member.name for member in tar.getmembers()]
        assert len(names) == len(set(names))
        return index, {f"sha256:{n.rpartition('/')[2]}" for n in names if "blobs" in n}, sum(sizes)

    index, whole, told = streamed()
    annotations = index["manifests"][0]["annotations"]
    assert annotations == {"io.containerd.image.name": "mlops-infra.local/x:1-a"}
    assert whole == {digest, settings, base, wheels, code}
    over_base = hashlib.sha256(f"{base} {wheels}".encode()).hexdigest()
    _, rest, again = streamed((base, f"sha256:{over_base}"))
    assert rest == {digest, settings, code}
    assert told == again
    # the same wheels over another base have to be unpacked once more
    assert streamed((wheels,))[1] == whole


def test_every_argument_can_be_read_by_anybody(tmp_path: Path) -> None:
    layout = Layout("one", tmp_path)
    known = Identity("one", simulated=False, slot=7)
    paths = processes.in_node(("etcd", "kube-apiserver", "kube-controller-manager",
                               "kube-scheduler", "kubelet", "kube-proxy"))  # fmt: skip
    specs = [*processes.control_plane(known, paths), *processes.node(layout, known, paths),
             extra_processes.provisioner(layout, known),
             extra_processes.network_policies(layout, known),
             extra_processes.kwok(layout, known, "kwok")]  # fmt: skip
    text = " ".join(word for spec in specs for word in spec.argv)
    assert "token" not in text.replace("service-account", "")
    assert "--authorization-mode=Node,RBAC" in text
    assert f"--bind-address={known.node_address}" in text
    assert "--kubelet-preferred-address-types=InternalIP" in text


def test_nobody_without_a_name_gets_past_health() -> None:
    anonymous = configuration.authentication()["anonymous"]
    assert {c["path"] for c in anonymous["conditions"]} == {"/healthz", "/livez", "/readyz"}


def test_capabilities_are_read_from_the_mask() -> None:
    assert configuration.capable(24, "Name:\tx\nCapEff:\t000001ffffffffff\n")
    assert not configuration.capable(24, "Name:\tx\nCapEff:\t000001fffeffffff\n")


def test_dns_runs_hardened_and_holds_no_way_out() -> None:
    objects = dict(addons.objects("image:1"))
    pod = objects["/apis/apps/v1/namespaces/kube-system/deployments/coredns"]["spec"]["template"]
    container = pod["spec"]["containers"][0]
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    corefile = objects["/api/v1/namespaces/kube-system/configmaps/coredns"]["data"]["Corefile"]
    assert "forward" not in corefile


def test_metrics_run_hardened_and_the_api_server_can_tell_whom_it_speaks_to(
    tmp_path: Path,
) -> None:
    pki.ensure(tmp_path, pki.leaves(node="one", address="10.231.0.2", api_service="10.96.0.1",
                                    domain="cluster.local"))  # fmt: skip
    objects = dict(metrics.objects("image:1", tmp_path))
    assert "insecureSkipTLSVerify" not in objects[metrics.SERVICE]["spec"]
    pod = objects[f"/apis/apps/v1/namespaces/kube-system/deployments/{metrics.NAME}"]["spec"][
        "template"
    ]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
    assert "--kubelet-insecure-tls" not in pod["containers"][0]["args"]


class FakeCluster:
    """A real node and a simulated one; on each a Pod that says since long ago that it runs."""

    def __init__(self) -> None:
        alone, beside = (
            simulated_nodes.node("alone"),
            simulated_nodes.node("beside", beside_real=True),
        )
        del alone["metadata"]["annotations"][simulated_nodes.SIMULATED]
        pods = [
            {**_pod("2020-01-01T00:00:00Z"), "spec": {"nodeName": node}}
            for node in ("alone", "beside")
        ]
        for pod, node in zip(pods, ("alone", "beside"), strict=True):
            pod["metadata"] = {"uid": node, "namespace": "ns", "name": f"on-{node}"}
            pod["status"]["phase"] = "Running"
        self.found = {"nodes": [alone, beside], "pods": pods, "endpointslices": []}

    def get(self, path: str) -> dict[str, Any]:
        return {"items": self.found[path.rpartition("/")[2]]}


def test_a_simulated_pod_is_neither_waited_for_nor_counted_as_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api = FakeCluster()
    assert readiness.stale(api, 1795241171.4) == ("ns/on-alone",)  # type: ignore[arg-type]
    monkeypatch.setattr(status, "Api", lambda *_, **__: api)
    monkeypatch.setattr(status.control, "alive", lambda _: True)
    monkeypatch.setattr(
        status.identity, "load", lambda _: Identity("one", simulated=False, simulated_node=True)
    )
    found = status.of(Layout("one", tmp_path))
    assert (found.pods, found.simulated_pods) == ({"Running": 1}, {"Running": 1})
    assert [node.simulated for node in found.nodes] == [False, True]
    assert any("beside" in note for note in found.notes)


def test_simulated_nodes_say_so_and_beside_a_real_one_take_only_who_tolerates_it() -> None:
    alone, beside = simulated_nodes.node("one"), simulated_nodes.node("one", beside_real=True)
    assert alone["metadata"]["annotations"][simulated_nodes.SIMULATED] == "true"
    assert alone["spec"] == {}
    (taint,) = beside["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == (simulated_nodes.SIMULATED, "NoSchedule")
    assert {stage["metadata"]["name"] for stage in simulated_nodes.stages()} == {
        "node-ready", "pod-ready", "job-finished", "pod-deleted",
    }  # fmt: skip


def _pod(started: str, ready: str = "True") -> dict[str, Any]:
    return {
        "metadata": {"uid": "p"},
        "status": {
            "podIP": "10.244.0.3",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"state": {"running": {"startedAt": started}}}],
        },
    }


def test_a_pod_of_an_earlier_run_does_not_count_as_back() -> None:
    since = 1795241171.4  # 2026-11-21T06:06:11Z
    assert readiness.fresh(_pod("2026-11-21T06:06:11Z"), since)
    assert not readiness.fresh(_pod("2026-11-21T06:06:10Z"), since)
    assert not readiness.fresh(_pod("2026-11-21T06:07:00Z", ready="False"), since)
    assert not readiness.fresh({"status": {}}, since)
