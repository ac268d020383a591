"""Where everything of one embedded cluster lies, on the host and inside its node.

Only the standard library: the supervisor, which lives as long as the cluster, imports this too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mlops_infra import naming, places

NODE_ETC = "/etc/mlops-infra"
"""Certificates and configuration as the node's processes see them."""
NODE_BIN = "/opt/mlops-infra/bin"
NODE_CNI_BIN = "/opt/cni/bin"
NODE_VOLUMES = "/var/lib/mlops-infra/volumes"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of one cluster: `data()/clusters/<name>`, mode 0700."""

    name: str
    folder: Path

    @classmethod
    def of(cls, name: str) -> Layout:
        """The layout of cluster `name` in the user's data folder.

        Raises:
            InputError: `name` is not a DNS label.
        """
        return cls(naming.dns_label(name, what="cluster name"), clusters() / name)

    @property
    def id(self) -> str:
        """Eight hex digits: same folder, same id; two data folders may both hold a `sandbox`."""
        return hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:8]

    @property
    def link(self) -> str:
        """Name of the host's end of the veth pair (the kernel allows 15 characters)."""
        return f"mi{self.id}"

    @property
    def cgroup(self) -> str:
        """Name of the cluster's group in every cgroup hierarchy."""
        return f"mlops-infra-{naming.fitted(self.name, 40)}-{self.id}"

    @property
    def kubeconfig(self) -> Path:
        """Administrator's access from the host, mode 0600."""
        return self.folder / "kubeconfig"

    @property
    def identity(self) -> Path:
        """What the cluster is: mode, addresses, ports."""
        return self.folder / "cluster.json"

    @property
    def plan(self) -> Path:
        """What the supervisor is to run."""
        return self.folder / "supervisor.json"

    @property
    def daemon(self) -> Path:
        """Process id and start time of the supervisor that was started last."""
        return self.folder / "daemon.json"

    @property
    def state(self) -> Path:
        """What the supervisor says about its processes."""
        return self.folder / "state.json"

    @property
    def alive(self) -> Path:
        """Locked by the supervisor for as long as it lives: no stale process id can lie."""
        return self.folder / "supervisor.lock"

    @property
    def etc(self) -> Path:
        """Certificates and configuration, bound to `NODE_ETC` in the node."""
        return self.folder / "etc"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.etc / "pki"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.folder / "logs"

    @property
    def mount(self) -> Path:
        """Where the node's root is mounted, in the cluster's mount namespace only."""
        return self.folder / "mount"

    def kept(self, what: str) -> Path:
        """A folder that outlives a stop: `etcd`, `containerd`, `kubelet`, `volumes`, `pods`."""
        return self.folder / "keep" / what

    def log(self, process: str) -> Path:
        """The log of one process."""
        return self.logs / f"{process}.log"


def clusters() -> Path:
    """Folder of all clusters of this user."""
    return places.data() / "clusters"
