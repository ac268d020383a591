"""Everything a cluster is started from: binaries of the toolchain and built images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_infra import images, places, toolchain
from mlops_infra.images import BuiltImage
from mlops_infra.progress import Sink, step

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = ("kubelet", "kube-proxy")
ADDONS = ("pause", "coredns", "metrics-server")
"""Images that the cluster itself runs."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What `gather` found; `node`, `cni` and `images` are empty for a simulated cluster."""

    binaries: dict[str, str]
    node: Path | None = None
    """The unpacked `node` image."""
    cni: str = ""
    images: tuple[BuiltImage, ...] = ()


def gather(sink: Sink, *, simulated: bool) -> Sources:
    """Find, fetch or build what is needed; everything is kept in the cache.

    Raises:
        MissingError, OperationFailed: something can neither be found nor made.
    """
    if simulated:
        tools = toolchain.ensure((*CONTROL_PLANE, "kwok"), sink)
        return Sources({name: str(tool.path) for name, tool in tools.items()})
    tools = toolchain.ensure((*CONTROL_PLANE, *NODE, "cni-plugins"), sink)
    cni = str(tools.pop("cni-plugins").path)
    built = {image.name: image for image in images.build_many(("node", *ADDONS), sink)}
    return Sources(
        {name: str(tool.path) for name, tool in tools.items()},
        node=unpacked(built["node"], sink),
        cni=cni,
        images=tuple(built[name] for name in ADDONS),
    )


def unpacked(image: BuiltImage, sink: Sink) -> Path:
    """The node image as a folder in the cache, shared by all clusters and never written."""
    target = places.cache() / "cluster" / "node" / image.digest.removeprefix("sha256:")[:16]
    if not target.is_dir():
        with step(sink, "Unpacking the node's system"):
            images.unpack(image, target)
    return target


def known_node_root() -> Path | None:
    """Some unpacked node image of this cache, for its `ip`; None where there is none."""
    folder = places.cache() / "cluster" / "node"
    # one that is being unpacked, or was when its process was killed, begins with a dot
    found = sorted(folder.glob("[0-9a-f]*")) if folder.is_dir() else []
    return found[0] if found else None
