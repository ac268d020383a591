"""What is written to a cluster's folder before its supervisor starts."""

from __future__ import annotations

from mlops_infra import images
from mlops_infra.cluster.bring_up.sources import Sources
from mlops_infra.cluster.control_plane import (
    extra_processes,
    kubeconfig,
    pki,
    processes,
    simulated_nodes,
)
from mlops_infra.cluster.instance import addresses, state
from mlops_infra.cluster.instance.identity import Identity
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import configuration

CLIENTS = {
    "admin": "kubeconfig",
    "controller-manager": "etc/controller-manager.kubeconfig",
    "scheduler": "etc/scheduler.kubeconfig",
    "kube-proxy": "etc/kube-proxy.kubeconfig",
    "provisioner": "etc/provisioner.kubeconfig",
    "kwok": "etc/kwok.kubeconfig",
    "network-policies": "etc/network-policies.kubeconfig",
    "kubelet-client": "etc/kubelet.kubeconfig",
}
"""Certificate -> the kubeconfig that carries it, in the cluster's folder."""


def write(layout: Layout, known: Identity, found: Sources) -> None:
    """Write certificates, kubeconfigs, configuration and the supervisor's plan."""
    leaves = pki.leaves(
        node=layout.name, address=known.node_address,
        api_service=addresses.API_SERVICE, domain=addresses.DOMAIN,
    )  # fmt: skip
    pki.ensure(layout.pki, leaves)
    pki.encryption_config(layout.etc / "encryption.yaml")
    for client, file in CLIENTS.items():
        kubeconfig.write(
            layout.folder / file,
            cluster=layout.name,
            server=known.server,
            pki=layout.pki,
            client=client,
        )
    pause = None if known.simulated else images.reference("pause")
    configuration.write(layout.etc, pause=pause, host=addresses.host_address(known.slot))
    simulated_nodes.write_stages(layout.etc / "kwok.yaml")
    state.write(layout.plan, plan(layout, known, found))


def plan(layout: Layout, known: Identity, found: Sources) -> dict[str, object]:
    """What the supervisor is to set up and run."""
    provisioner = extra_processes.provisioner(layout, known)
    if known.simulated:
        paths = processes.on_host(layout, found.binaries)
        kwok = extra_processes.kwok(layout, known, found.binaries["kwok"])
        children = [*processes.control_plane(known, paths), kwok, provisioner]
        return {"children": [child.as_dict() for child in children]}
    paths = processes.in_node(tuple(found.binaries))
    children = [
        *processes.control_plane(known, paths), *processes.node(layout, known, paths), provisioner,
        extra_processes.network_policies(layout, known),
    ]  # fmt: skip
    root = {
        "image": str(found.node), "binaries": found.binaries, "cni": found.cni,
        "hostname": layout.name,
    }  # fmt: skip
    return {
        "node": {"root": root, "slot": known.slot},
        "children": [child.as_dict() for child in children],
    }
