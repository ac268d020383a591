"""What stands before the program runs: tools, images and the embedded cluster that holds them.

Threads make it, so that two cores are busy all the time: one compiles the tools of this machine,
one the images that carry a compiled program, one unpacks the packages of the others; a fourth,
which mostly waits, pulls upstream's images. The cluster starts as soon as its own parts are there,
and takes in each image when it is ready. The provider comes last in its queue: nothing needs it
before the first resource is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

from mlops_infra import images, toolchain
from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.cluster.bring_up.sources import ADDONS, CONTROL_PLANE, NODE
from mlops_infra.cluster.node.preflight import can_be_real
from mlops_infra.engine import tools, upstream_images
from mlops_infra.engine.prepare import Asked
from mlops_infra.engine.tools import Tools
from mlops_infra.progress import Sink


def gather(want: Asked, sink: Sink) -> tuple[Tools, str | None]:
    """Tools of this machine, and the address of the embedded cluster's node; None without one.

    Raises:
        MlopsError: something can neither be found nor made, or the cluster does not start. What
            is being made then is finished or stopped, and what was made stays.
    """
    if not want.record.cluster:
        return tools.ready(sink), None
    cluster = EmbeddedCluster(want.record.cluster)
    if want.config.cluster.simulated or not can_be_real():
        toolchain.ensure((*tools.READING, *CONTROL_PLANE), sink)
        with _workers(1) as (first,):
            plugin = first.submit(toolchain.ensure, (tools.KUBERNETES_PLUGIN,), sink)
            _start(cluster, want, sink)
            plugin.result()
    else:
        _with_images(cluster, want, sink)
    return tools.ready(sink), cluster.node_address


def _with_images(cluster: EmbeddedCluster, want: Asked, sink: Sink) -> None:
    own = tuple(dict.fromkeys(image.recipe for image in want.plan.images if image.recipe))
    clusters = ("node", *ADDONS)
    with _workers(4) as (first, second, third, fourth):
        pulled = fourth.submit(upstream_images.pull, want.plan, want.config, want.file, sink)
        made = first.submit(
            toolchain.ensure, (*tools.READING, *CONTROL_PLANE, *NODE, "cni-plugins"), sink
        )
        plugin = first.submit(toolchain.ensure, (tools.KUBERNETES_PLUGIN,), sink)
        built = {
            name: (second if images.compiles(name) else third).submit(images.build, name, sink)
            for name in dict.fromkeys((*clusters, *own))
        }
        parts: list[Future[Any]] = [made, *(built[name] for name in clusters)]
        runs = False
        for _ in _ends([made, plugin, pulled, *built.values()]):
            if not all(each.done() for each in parts):
                continue
            if not runs:
                _start(cluster, want, sink)
                runs = True
            if not cluster.simulated:
                ready = [built[name].result() for name in own if built[name].done()]
                cluster.load([*ready, *(pulled.result() if pulled.done() else ())], sink)


@contextmanager
def _workers(number: int) -> Iterator[list[ThreadPoolExecutor]]:
    """Threads with a queue each; all queues are dropped where anything fails or on Ctrl-C."""
    with ExitStack() as stack:
        pools = [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(number)]
        try:
            yield pools
        except BaseException:
            for pool in pools:  # all of them, before the first is waited for
                pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ends(futures: Iterable[Future[Any]]) -> Iterator[None]:
    """Yields whenever some have ended, until all have; a failure is raised at once."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        yield


def _start(cluster: EmbeddedCluster, want: Asked, sink: Sink) -> None:
    cluster.start(
        sink,
        simulated=want.config.cluster.simulated,
        simulated_node=any(each.simulated for each in want.plan.components),
    )
