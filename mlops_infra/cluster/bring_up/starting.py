"""Bring one cluster up, step by step; called with the cluster's lock held."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mlops_infra import images, places
from mlops_infra.cluster.api.client import Api
from mlops_infra.cluster.bring_up import image_loading, outdated, preparing, readiness, sources
from mlops_infra.cluster.bring_up.sources import Sources
from mlops_infra.cluster.control_plane import addons, metrics, simulated_nodes
from mlops_infra.cluster.instance import addresses, identity, state
from mlops_infra.cluster.instance.identity import Identity
from mlops_infra.cluster.instance.layout import Layout
from mlops_infra.cluster.node import cgroups, network, preflight, rootfs
from mlops_infra.cluster.supervision import control
from mlops_infra.errors import InputError, MissingError, OperationFailed
from mlops_infra.progress import Sink, step

PODS_PATIENCE = 60.0
"""Seconds to wait for Pods of an earlier run; the cluster itself is up by then."""
PROXY_PERIOD = 0.4
"""Seconds in which kube-proxy follows a change (twice its `--iptables-min-sync-period`)."""


def start(layout: Layout, sink: Sink, *, simulated: bool) -> None:
    """See `EmbeddedCluster.start`."""
    known = identity.load(layout)
    simulated = _mode(layout, known, sink, simulated=simulated)
    current = known is not None and _complete(layout) and not outdated.renew(layout, sink)
    if current and _runs_already(layout, sink):
        return
    preflight.check(layout, simulated=simulated)
    found = sources.gather(sink, simulated=simulated)
    _clear_wreck(layout)
    _folders(layout)
    try:
        _bring_up(layout, found, sink, simulated=simulated)
    except BaseException:
        control.kill(layout)
        _clear_wreck(layout)
        raise
    state.write(_marker(layout), state.read(layout.daemon) or {})


def _mode(layout: Layout, known: Identity | None, sink: Sink, *, simulated: bool) -> bool:
    """Whether to simulate: what the cluster is, else what was asked for, else what can be."""
    real = preflight.can_be_real()
    if known is not None and not known.simulated:
        if simulated:
            raise InputError(
                f"cluster {layout.name} has a real node, it cannot become a simulated one",
                hint=f"choose another name, or first: mlops-infra cluster delete {layout.name}",
            )
        if not real:
            raise MissingError(
                f"cluster {layout.name} has a real node, which only root can start",
                hint=f"sudo mlops-infra cluster start {layout.name}",
            )
        return False
    chosen = simulated or not real or known is not None
    if chosen:
        with step(sink, "Simulated nodes") as work:
            why = "" if simulated or known is not None else "not root; "
            work.end("done", f"{why}{simulated_nodes.NOTICE}")
    return chosen


def _marker(layout: Layout) -> Path:
    return layout.folder / "ready.json"


def _complete(layout: Layout) -> bool:
    """Whether this very supervisor was brought up to the end once."""
    started = state.read(layout.daemon)
    return started is not None and control.alive(layout) and state.read(_marker(layout)) == started


def _runs_already(layout: Layout, sink: Sink) -> bool:
    """Wait for a cluster that was up; False where it proves to be dying: a kill takes a moment."""
    with step(sink, f"Cluster {layout.name}") as work:
        try:
            readiness.until(layout, "control plane", lambda: _ready(layout))
        except OperationFailed:
            if control.outer(layout) is not None:
                raise
            work.end("skipped", "its supervisor has just ended: starting it again")
            return False
        work.end("unchanged", "runs already")
    return True


def _ready(layout: Layout) -> bool:
    return readiness.control_plane(Api(layout.kubeconfig))


def _clear_wreck(layout: Layout) -> None:
    """Whatever a kill, a power loss or a start that failed has left; data stays."""
    control.kill(layout)
    control.sweep(layout)
    if not network.remove(sources.known_node_root(), layout.link):
        raise OperationFailed(
            f"interface {layout.link} of an earlier run cannot be removed",
            hint=f"ip link delete {layout.link}",
        )
    cgroups.remove(layout.cgroup)


def _folders(layout: Layout) -> None:
    preflight.scratch_is_writable(layout.folder)
    for folder in (layout.folder, layout.etc, layout.logs, layout.mount):
        places.private(folder)
    for name in rootfs.KEPT:
        places.private(layout.kept(name))
    (layout.kept("etcd") / "data").mkdir(mode=0o700, exist_ok=True)


def _bring_up(layout: Layout, found: Sources, sink: Sink, *, simulated: bool) -> None:
    begun = time.time()
    resumed = (layout.kept("etcd") / "data" / "member").exists()
    with ThreadPoolExecutor(1) as pool:
        with step(sink, "Starting the control plane") as work:
            with addresses.reserving():
                known = identity.settle(layout, simulated=simulated, work=work)
                preparing.write(layout, known, found)
                control.launch(layout, isolated=not simulated)
                if not simulated:
                    _join(layout, known, found)
            loaded = None if simulated else pool.submit(_load, layout, found, sink)
            api = Api(layout.kubeconfig)
            readiness.until(layout, "control plane", lambda: readiness.control_plane(api))
            work.end("done", f"{known.server} answers {time.time() - begun:.1f} s after the start")
        _finish(layout, api, sink, begun, loaded, simulated=simulated)
    if resumed:
        _pods_back(layout, api, sink, begun)


def _finish(
    layout: Layout, api: Api, sink: Sink, begun: float, loaded: Future[None] | None,
    *, simulated: bool,
) -> None:  # fmt: skip
    since = 0.0 if simulated else begun
    with step(sink, "Starting the node") as work:
        if simulated:
            api.apply(f"/api/v1/nodes/{layout.name}", simulated_nodes.node(layout.name))
        addons.apply(api, coredns=images.reference("coredns"))
        if not simulated:
            # nothing would answer behind it on a simulated node
            metrics.apply(api, images.reference("metrics-server"), layout.pki)
        if loaded is not None:
            loaded.result()
        readiness.until(layout, "node", lambda: readiness.node(api, layout.name, since))
        work.end("done", f"Ready {time.time() - begun:.1f} s after the start")
    with step(sink, "Starting the cluster's DNS") as work:
        readiness.until(layout, "DNS", lambda: readiness.dns(api, since))
        work.end("done", f"Ready {time.time() - begun:.1f} s after the start")
    if not simulated:
        with step(sink, "Starting the cluster's metrics") as work:
            # a namespace cannot be deleted while an aggregated API does not answer
            readiness.until(layout, "metrics", lambda: metrics.available(api))
            work.end("done", f"answer {time.time() - begun:.1f} s after the start")


def _pods_back(layout: Layout, api: Api, sink: Sink, begun: float) -> None:
    """After a stop or a crash: wait for the Pods that ran; one that cannot is not our failure."""
    since = 0.0 if api_is_simulated(layout) else begun
    with step(sink, "Bringing Pods back") as work:
        deadline = time.monotonic() + PODS_PATIENCE
        while left := readiness.stale(api, since):
            readiness.broken(layout)
            if time.monotonic() > deadline:
                work.end("done", f"not Ready yet: {', '.join(left)}")
                return
            time.sleep(0.2)
        time.sleep(PROXY_PERIOD)
        work.end("done", f"all Ready {time.time() - begun:.1f} s after the start")


def api_is_simulated(layout: Layout) -> bool:
    """Whether the cluster in this folder is a simulated one."""
    known = identity.load(layout)
    return known is not None and known.simulated


def _load(layout: Layout, found: Sources, sink: Sink) -> None:
    readiness.until(layout, "supervisor", lambda: _containerd_answers(layout))
    image_loading.load(layout, found.images, sink)


def _containerd_answers(layout: Layout) -> bool:
    try:
        image_loading.present(layout)
    except OperationFailed:
        return False
    return True


def _join(layout: Layout, known: Identity, found: Sources) -> None:
    assert found.node is not None  # noqa: S101 - `gather` gives one for a real cluster
    readiness.until(layout, "supervisor", lambda: _phase(layout) == "joining")
    enter = control.enter(layout, spaces=())
    network.join(enter, found.node, link=layout.link, slot=known.slot)


def _phase(layout: Layout) -> object:
    return (state.read(layout.state) or {}).get("phase")
