"""The embedded cluster as commands and other rooms use it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mlops_infra.cluster.bring_up import extra_node, image_loading, starting
from mlops_infra.cluster.bring_up.sources import known_node_root
from mlops_infra.cluster.control_plane.simulated_nodes import NOTICE
from mlops_infra.cluster.instance import identity, layout, state
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.instance.lock import exclusive
from mlops_infra.cluster.node import cgroups, network
from mlops_infra.cluster.status import ClusterStatus, of
from mlops_infra.cluster.supervision import control
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.files import remove_tree
from mlops_infra.images import BuiltImage
from mlops_infra.progress import Sink, step

STOP_PATIENCE = 45.0
"""Seconds for Pods, control plane and database to end by themselves before they are killed."""


class EmbeddedCluster:
    """A cluster by name; nothing happens until a method is called."""

    def __init__(self, name: str) -> None:
        """Raises InputError where `name` is not a DNS label."""
        self.layout = Layout.of(name)
        self.name = name

    @property
    def kubeconfig(self) -> Path:
        """Administrator's access from the host; written by `start`, mode 0600."""
        return self.layout.kubeconfig

    @property
    def node_address(self) -> str:
        """The IP address that the host reaches NodePorts on.

        Raises:
            InputError: the cluster does not exist yet.
        """
        return self._known().node_address

    @property
    def simulated(self) -> bool:
        """Whether its Pods are simulated; raises like `node_address`."""
        return self._known().simulated

    def _known(self) -> identity.Identity:
        known = identity.load(self.layout)
        if known is None:
            raise InputError(
                f"cluster {self.name} does not exist", hint=f"mlops-infra cluster start {self.name}"
            )
        return known

    def start(
        self, sink: Sink, *, simulated: bool = False, simulated_node: bool = False
    ) -> ClusterStatus:
        """Bring the cluster up, with the data it had; does nothing where it runs already.

        Without root, Pods are simulated; the status and a note in the progress say so.
        `simulated_node` puts the node `simulation.BESIDE` beside the real one, also into a cluster
        that runs; from then on it has it. Only Pods that tolerate the taint get there.

        Raises:
            InputError: it exists with a real node and `simulated` is asked for.
            MissingError: this machine lacks something.
            OperationFailed: a process does not come up; its last words are in the message.
        """
        with exclusive(self.layout, sink):
            starting.start(self.layout, sink, simulated=simulated)
            extra_node.ensure(self.layout, sink, wanted=simulated_node)
        return self.status()

    def stop(self, sink: Sink) -> None:
        """Stop Pods, control plane and database in order; data stays. Fine where it is stopped."""
        with exclusive(self.layout, sink), step(sink, f"Stopping cluster {self.name}") as work:
            if not control.alive(self.layout) and not self._remains():
                work.end("unchanged", "it does not run")
                return
            if not control.stop(self.layout, patience=STOP_PATIENCE):
                work.note("it did not stop and was killed")
            self._clear()

    def status(self) -> ClusterStatus:
        """What it is doing now."""
        return of(self.layout)

    def delete(self, sink: Sink) -> None:
        """Take away processes, mounts, interfaces, cgroups, files and data, and check.

        Raises:
            OperationFailed: something is left; it is named.
        """
        with exclusive(self.layout, sink), step(sink, f"Deleting cluster {self.name}") as work:
            if not self.layout.folder.exists() and not self._remains():
                work.end("unchanged", "the cluster does not exist")
                return
            control.kill(self.layout)
            self._clear()
            work.note("removing its files")
            remove_tree(self.layout.folder)

    def load(self, images: Iterable[BuiltImage], sink: Sink) -> None:
        """Bring images into the node; those it has already are left alone.

        Raises:
            OperationFailed: it does not run, refuses an image, or the disk is full.
        """
        if self.simulated:
            with step(sink, "Loading images into the node") as work:
                work.end("skipped", NOTICE)
            return
        image_loading.load(self.layout, images, sink)

    def _remains(self) -> list[str]:
        found = [str(folder) for folder in cgroups.groups(self.layout.cgroup)]
        if network.exists(self.layout.link):
            found.append(f"interface {self.layout.link}")
        if control.alive(self.layout):
            found.append("its supervisor")
        return found

    def _clear(self) -> None:
        """After the supervisor's death: whatever a crash may have left."""
        control.sweep(self.layout)
        network.remove(known_node_root(), self.layout.link)
        cgroups.remove(self.layout.cgroup)
        for stale in (self.layout.state, self.layout.daemon):
            stale.unlink(missing_ok=True)
        if left := self._remains():
            raise OperationFailed(
                f"parts of cluster {self.name} remain: {', '.join(left)}",
                hint="run the command again; a process may still be ending in the kernel",
            )


def existing() -> tuple[str, ...]:
    """Names of all clusters of this user, sorted."""
    folder = layout.clusters()
    if not folder.is_dir():
        return ()
    return tuple(sorted(f.name for f in folder.iterdir() if state.read(f / "cluster.json")))
