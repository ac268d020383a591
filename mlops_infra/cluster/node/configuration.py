"""Configuration files: kubelet, containerd, CNI, and who may ask the API server without a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_infra.cluster.instance import addresses, state
from mlops_infra.cluster.instance.layout import CONTAINERD_SOCKET, NODE_CNI_BIN, NODE_ETC
from mlops_infra.cluster.node import registries

CAP_SYS_RESOURCE = 24
"""Bit of the capability that lets a process lower its OOM score; see capabilities(7)."""
POD_SUBNET = "10.244.0.0/24"
"""The part of the Pod range that the one node hands out."""


def capable(bit: int, status: str | None = None) -> bool:
    """Whether this process has an effective capability."""
    text = Path("/proc/self/status").read_text(encoding="ascii") if status is None else status
    line = next(line for line in text.splitlines() if line.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> bit & 1)


def authentication() -> dict[str, Any]:
    """Nobody without a certificate or token gets past the health answers."""
    return {
        "apiVersion": "apiserver.config.k8s.io/v1beta1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {
            "enabled": True,
            "conditions": [{"path": path} for path in ("/healthz", "/livez", "/readyz")],
        },
    }


def kubelet() -> dict[str, Any]:
    """KubeletConfiguration: limits by cgroup, images never collected, nothing of the host changed.

    `failCgroupV1: false` allows v1 and hybrid machines. `KubeletInUserNamespace` makes the kubelet
    put up with sysctls that it may not set (they are the host's). Images are only local, so
    neither disk pressure nor age may remove them.
    """
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{NODE_ETC}/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{NODE_ETC}/pki/kubelet.crt",
        "tlsPrivateKeyFile": f"{NODE_ETC}/pki/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "oomScoreAdj": 0 if not capable(CAP_SYS_RESOURCE) else -999,
        "seccompDefault": True,
        "clusterDNS": [addresses.DNS_SERVICE],
        "clusterDomain": addresses.DOMAIN,
        "resolvConf": "/etc/resolv.conf",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "200Mi"},
        "evictionPressureTransitionPeriod": "30s",
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "localStorageCapacityIsolation": False,
        "serializeImagePulls": False,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 3,
        "nodeStatusUpdateFrequency": "5s",
        "enableDebugFlagsHandler": False,
        "enableDebuggingHandlers": True,
        "shutdownGracePeriod": "0s",
    }


def containerd(pause: str) -> str:
    """Configuration version 2, which containerd 1.7 reads and 2.x converts by itself."""
    restrict = "true" if not capable(CAP_SYS_RESOURCE) else "false"
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.blockfile", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
address = "{CONTAINERD_SOCKET}"
[{cri}]
sandbox_image = "{pause}"
restrict_oom_score_adj = {restrict}
[{cri}.cni]
bin_dir = "{NODE_CNI_BIN}"
conf_dir = "{NODE_ETC}/cni"
[{cri}.containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
[{cri}.registry]
config_path = "{NODE_ETC}/registries"
"""


def cni() -> dict[str, Any]:
    """One bridge; answers to the outside wear the node's address; a Pod may call itself."""
    return {
        "cniVersion": "1.0.0",
        "name": "mlops-infra",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni/networks",
                    "ranges": [[{"subnet": POD_SUBNET}]],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def write(etc: Path, *, pause: str | None, host: str) -> None:
    """Write all configuration files; without `pause` (simulated) only the API server's.

    `host` is this machine's address as the node sees it.
    """
    state.write(etc / "authentication.json", authentication())
    if pause is None:
        return
    state.write(etc / "kubelet.json", kubelet())
    (etc / "cni").mkdir(exist_ok=True)
    registries.write(etc / "registries", host)
    state.write(etc / "cni/10-mlops-infra.conflist", cni())
    (etc / "containerd.toml").write_text(containerd(pause), encoding="utf-8")
