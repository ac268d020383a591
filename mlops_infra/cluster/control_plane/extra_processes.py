"""Processes beside Kubernetes itself: volumes, NetworkPolicies, simulated nodes."""

from __future__ import annotations

import sys
from pathlib import Path

from mlops_infra.cluster.control_plane.processes import SIMULATED_PATH, lean
from mlops_infra.cluster.control_plane.simulated_nodes import MANAGED
from mlops_infra.cluster.instance import addresses
from mlops_infra.cluster.instance.identity import Identity
from mlops_infra.cluster.instance.layout import NODE_VOLUMES, Layout
from mlops_infra.cluster.network_policies import engine as policy_engine
from mlops_infra.cluster.supervision.process import ProcessSpec

KWOK = "kwok"
"""Name of the process that plays simulated nodes."""
NOWHERE = "192.0.2.1"
"""Address of a simulated node beside real ones: documentation only (RFC 5737), nothing answers."""


def kwok(layout: Layout, identity: Identity, binary: str) -> ProcessSpec:
    """Nodes and Pods that only say that they run: all of the cluster's, or the marked node alone.

    In the host's files, so that it can join a cluster that runs already.
    """
    chosen = (
        ("--manage-all-nodes=true", "--node-ip=127.0.0.1")
        if identity.simulated
        else (
            "--manage-all-nodes=false",
            f"--manage-nodes-with-annotation-selector={MANAGED}=fake",
            f"--node-ip={NOWHERE}",
        )
    )
    argv = (
        binary,
        f"--kubeconfig={layout.etc}/kwok.kubeconfig",
        f"--config={layout.etc}/kwok.yaml",
        # without a lease that is renewed the nodes, and with them all Pods, are unready in a minute
        "--node-lease-duration-seconds=40",
        f"--cidr={addresses.PODS}",
        *chosen,
    )
    return ProcessSpec(
        KWOK, argv, lean("96MiB"), inside=False, needs=(f"{identity.server}/readyz",)
    )


def provisioner(layout: Layout, identity: Identity) -> ProcessSpec:
    """Our own provisioner of local volumes."""
    volumes = str(layout.kept("volumes"))
    shown = volumes if identity.simulated else NODE_VOLUMES
    words = (str(layout.etc / "provisioner.kubeconfig"), volumes, shown)
    return _own("local-path-provisioner", "control_plane.volume_provisioner", words, identity)


def network_policies(layout: Layout, identity: Identity) -> ProcessSpec:
    """Our own engine of NetworkPolicies; the supervisor leaves it out where the kernel cannot."""
    words = (str(layout.etc / "network-policies.kubeconfig"), str(layout.mount / "root"))
    return _own(policy_engine.NAME, "network_policies.engine", words, identity)


def _own(name: str, module: str, words: tuple[str, ...], identity: Identity) -> ProcessSpec:
    # in the host's files, for the sake of its Python
    boot = (
        "import sys; sys.path.append(sys.argv.pop(1));"
        f"from mlops_infra.cluster.{module} import main; main(*sys.argv[1:])"
    )
    argv = (sys.executable, "-I", "-c", boot, str(Path(__file__).parents[3]), *words)
    return ProcessSpec(
        name, argv, {"PATH": SIMULATED_PATH}, inside=False,
        needs=(f"{identity.server}/readyz",), grace=2,
    )  # fmt: skip
