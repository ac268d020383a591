"""What runs in a cluster and with which flags.

Flags follow the reference of Kubernetes 1.34 and etcd 3.6. Each process gets its own certificate;
nothing listens without TLS except health answers on the node's own loopback.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.cluster.instance import addresses
from mlops_infra.cluster.instance.identity import Identity
from mlops_infra.cluster.instance.layout import (
    CONTAINERD_SOCKET,
    NODE_BIN,
    NODE_ETC,
    Layout,
)
from mlops_infra.cluster.supervision.process import ProcessSpec

SIMULATED_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ISSUER = f"https://kubernetes.default.svc.{addresses.DOMAIN}"
DRIVER = contract.LOCAL_PATH_DRIVER


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders as the processes see them: the node's, or the host's where simulated."""

    etc: str
    etcd: str
    binaries: dict[str, str]
    """Name -> file."""

    @property
    def pki(self) -> str:
        """Keys and certificates."""
        return f"{self.etc}/pki"


def in_node(names: tuple[str, ...]) -> Paths:
    """Paths inside the node's root."""
    return Paths(NODE_ETC, "/var/lib/etcd", {name: f"{NODE_BIN}/{name}" for name in names})


def on_host(layout: Layout, binaries: dict[str, str]) -> Paths:
    """Paths of a simulated cluster."""
    return Paths(str(layout.etc), str(layout.kept("etcd")), binaries)


def control_plane(identity: Identity, paths: Paths) -> list[ProcessSpec]:
    """etcd, API server, controller manager, scheduler."""
    etcd = f"127.0.0.1:{identity.port('etcd')}"
    ready = f"{identity.server}/readyz"
    return [
        ProcessSpec("etcd", _etcd(identity, paths), lean("96MiB"), grace=10),
        ProcessSpec(
            "kube-apiserver", _apiserver(identity, paths), lean("480MiB"), needs=(f"tcp:{etcd}",)
        ),
        ProcessSpec("kube-controller-manager", _controllers(paths), lean("128MiB"), needs=(ready,)),
        ProcessSpec("kube-scheduler", _scheduler(paths), lean("64MiB"), needs=(ready,)),
    ]


def lean(limit: str) -> dict[str, str]:
    """Environment of a Go program that should stay small."""
    # a soft limit: the collector works harder near it, nothing is ever refused
    return {"PATH": SIMULATED_PATH, "GOMEMLIMIT": limit, "GOGC": "75"}


def _etcd(identity: Identity, paths: Paths) -> tuple[str, ...]:
    client = f"https://127.0.0.1:{identity.port('etcd')}"
    peer = f"https://127.0.0.1:{identity.port('etcd-peer')}"
    pki = paths.pki
    return (
        paths.binaries["etcd"],
        "--name=node",
        f"--data-dir={paths.etcd}/data",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=node={peer}",
        f"--cert-file={pki}/etcd.crt",
        f"--key-file={pki}/etcd.key",
        "--client-cert-auth=true",
        f"--trusted-ca-file={pki}/etcd-ca.crt",
        f"--peer-cert-file={pki}/etcd.crt",
        f"--peer-key-file={pki}/etcd.key",
        "--peer-client-cert-auth=true",
        f"--peer-trusted-ca-file={pki}/etcd-ca.crt",
        "--snapshot-count=5000",
        "--log-level=warn",
    )


def _apiserver(identity: Identity, paths: Paths) -> tuple[str, ...]:
    pki = paths.pki
    return (
        paths.binaries["kube-apiserver"],
        f"--advertise-address={identity.node_address}",
        f"--bind-address={identity.node_address}",
        f"--secure-port={identity.api_port}",
        "--allow-privileged=true",
        f"--authentication-config={paths.etc}/authentication.json",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={pki}/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        f"--encryption-provider-config={paths.etc}/encryption.yaml",
        f"--etcd-servers=https://127.0.0.1:{identity.port('etcd')}",
        f"--etcd-cafile={pki}/etcd-ca.crt",
        f"--etcd-certfile={pki}/apiserver-etcd-client.crt",
        f"--etcd-keyfile={pki}/apiserver-etcd-client.key",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={pki}/service-accounts.pub",
        f"--service-account-signing-key-file={pki}/service-accounts.key",
        f"--service-cluster-ip-range={addresses.SERVICES}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        "--profiling=false",
    )


def _controllers(paths: Paths) -> tuple[str, ...]:
    pki = paths.pki
    return (
        paths.binaries["kube-controller-manager"],
        f"--kubeconfig={paths.etc}/controller-manager.kubeconfig",
        "--allocate-node-cidrs=true",
        f"--cluster-cidr={addresses.PODS}",
        f"--service-cluster-ip-range={addresses.SERVICES}",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/service-accounts.key",
        "--use-service-account-credentials=true",
        # with the default of 20 a second the controllers take 5 s to start, not 1
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        # a sandbox has few autoscalers, and people who wait for them
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    )


def _scheduler(paths: Paths) -> tuple[str, ...]:
    return (
        paths.binaries["kube-scheduler"],
        f"--kubeconfig={paths.etc}/scheduler.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--profiling=false",
    )


def node(layout: Layout, identity: Identity, paths: Paths) -> list[ProcessSpec]:
    """containerd, kubelet, kube-proxy."""
    ready = f"{identity.server}/readyz"
    path = {"PATH": f"{NODE_BIN}:/usr/sbin:/usr/bin:/sbin:/bin"}
    proxy = (
        paths.binaries["kube-proxy"],
        f"--kubeconfig={paths.etc}/kube-proxy.kubeconfig",
        "--proxy-mode=iptables",
        f"--hostname-override={layout.name}",
        f"--cluster-cidr={addresses.PODS}",
        # limits of connection tracking belong to the host: leave them
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
        # one node, few Services: following within a fifth of a second costs nothing
        "--iptables-min-sync-period=200ms",
        "--iptables-localhost-nodeports=false",
        "--oom-score-adj=0",
    )
    kubelet = (
        paths.binaries["kubelet"],
        f"--config={paths.etc}/kubelet.json",
        f"--kubeconfig={paths.etc}/kubelet.kubeconfig",
        f"--hostname-override={layout.name}",
        f"--node-ip={identity.node_address}",
    )
    containerd = ("/usr/bin/containerd", f"--config={paths.etc}/containerd.toml")
    return [
        ProcessSpec("containerd", containerd, path, grace=5),
        ProcessSpec("kubelet", kubelet, {**lean("128MiB"), **path},
             needs=(ready, f"unix:{CONTAINERD_SOCKET}"), grace=3),
        ProcessSpec("kube-proxy", proxy, {**lean("64MiB"), **path}, needs=(ready,)),
    ]  # fmt: skip
