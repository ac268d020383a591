"""Measures where the time of a pipeline of short steps goes, from one Pod to the next.

A standard pipeline on Argo, whose steps work for milliseconds. A watch tells when a Pod
comes, is placed, is prepared and is gone; the times that the kubelet keeps are whole seconds. What
happens inside of it is told by the time stamps of its log.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from bench.commands import MeasureError, run

PIPELINE, TENANT = "tabular-classification", "demo"
NAMESPACE = f"tenant-{TENANT}"
RUNS = 2
"""The second one counts: the first one reads the image's files from the disk."""
_WORKFLOW, _NODE = "workflows.argoproj.io/workflow", "workflows.argoproj.io/node-name"
_BEGINS, _ENDS = "... ", "sub-process exited"
"""What the program's first line starts with, and what Argo's executor says last."""
_LATE_SECONDS = 30
"""For the watch to see the end of the last Pod."""


@dataclass(slots=True)
class Step:
    """When something happened to the Pod of a step; seconds since the epoch, 0: not yet."""

    name: str
    created: float
    scheduled: float = 0.0
    prepared: float = 0.0
    """The init container has ended."""
    process: float = 0.0
    """Argo's executor runs in the main container and starts the program."""
    imported: float = 0.0
    """The program knows what to do and says so; it imports the libraries of the step next."""
    worked: float = 0.0
    ended: float = 0.0
    """The Pod has ended."""


PARTS = {
    "scheduled": "step_scheduled",
    "prepared": "step_prepared",
    "process": "step_process",
    "imported": "step_imports",
    "worked": "step_work",
    "ended": "step_end",
}
"""Each moment, and the figure of the time that led to it."""


def measure(stack: str, env: dict[str, str]) -> Iterator[dict[str, float]]:
    """Seconds of a step and of its parts, the mean over the steps of one run.

    Raises:
        MeasureError: the run fails, or its Pods cannot be seen.
    """
    for number in range(RUNS):
        steps = _run(stack, env, f"bench-{int(time.time())}-{number}")
    for step in steps:
        _tell(step, steps)
    yield means(steps)


def means(steps: list[Step]) -> dict[str, float]:
    """The mean of each part, of the wait for the next Pod, and of the whole; and the longest."""
    whole = _whole(steps)
    parts = [_parts(step) for step in steps]
    waits = [after.created - before.ended for before, after in pairwise(steps)]
    found = {PARTS[key]: statistics.mean(part[key] for part in parts) for key in PARTS}
    return {
        **found,
        "step_next": statistics.mean(waits),
        "step": statistics.mean(whole),
        "step_longest": max(whole),
    }


def _whole(steps: list[Step]) -> list[float]:
    """Seconds from each Pod to the next; of the last one, to its end."""
    until = [*(step.created for step in steps[1:]), steps[-1].ended]
    return [end - step.created for step, end in zip(steps, until, strict=True)]


def _parts(step: Step) -> dict[str, float]:
    before, found = step.created, {}
    for key in PARTS:
        moment = getattr(step, key)
        found[key] = moment - before
        before = moment
    return found


def _run(stack: str, env: dict[str, str], name: str) -> list[Step]:
    watch = _Watch(stack, env, name)
    watch.start()
    words = ("--engine", "argo", "-s", stack, "--tenant", TENANT, "--run", name, "--json")
    # another seed each time, or steps would take over what an equal one has made
    given = ("-p", "promote=false", "-p", f"seed={int(time.time())}")
    run("pipeline", "run", PIPELINE, *words, *given, env=env)
    return watch.steps()


class _Watch(threading.Thread):
    """Sees the Pods of one run as they change."""

    def __init__(self, stack: str, env: dict[str, str], name: str) -> None:
        super().__init__(daemon=True)
        self._pods = _pods_of(stack, env)
        self._selector = f"{_WORKFLOW}={name}"
        self._steps: dict[str, Step] = {}

    def run(self) -> None:
        """Follow the Pods as long as this process lives."""
        from kubernetes import watch

        seen = watch.Watch().stream(
            self._pods.list_namespaced_pod, NAMESPACE, label_selector=self._selector
        )
        for event in seen:
            now, pod = time.time(), event["raw_object"]
            name = str(pod["metadata"]["name"])
            note(self._steps.setdefault(name, Step(_step_of(pod), now)), pod, now)

    def steps(self) -> list[Step]:
        """The steps in their order, once the last one has ended."""
        until = time.monotonic() + _LATE_SECONDS
        while not self._steps or not all(step.ended for step in self._steps.values()):
            if time.monotonic() > until:
                raise MeasureError(f"the Pods of {self._selector} were not seen to end")
            time.sleep(0.1)
        for pod, step in self._steps.items():
            text = self._pods.read_namespaced_pod_log(
                pod, NAMESPACE, container="main", timestamps=True
            )
            read_log(step, text.splitlines())
        return sorted(self._steps.values(), key=lambda step: step.created)


def note(step: Step, pod: Mapping[str, Any], now: float) -> None:
    """Keep `now` for whatever the Pod shows for the first time."""
    status = pod.get("status", {})
    first: Mapping[str, Any] = next(iter(status.get("initContainerStatuses", [])), {})
    shown = {
        "scheduled": "nodeName" in pod["spec"],
        "prepared": "terminated" in first.get("state", {}),
        "ended": status.get("phase") in ("Succeeded", "Failed"),
    }
    for key, happened in shown.items():
        if happened and not getattr(step, key):
            setattr(step, key, now)


def read_log(step: Step, lines: Iterable[str]) -> None:
    """Read from a log with time stamps when the program started, spoke and ended.

    Raises:
        MeasureError: the log is not that of a step.
    """
    stamped = [line.partition(" ") for line in lines]
    begun = [stamp for stamp, _, text in stamped if text.startswith(_BEGINS)]
    ended = [stamp for stamp, _, text in stamped if _ENDS in text]
    if not begun or not ended:
        raise MeasureError(f"the log of {step.name} does not tell when it began and ended")
    step.process, step.imported, step.worked = map(_seconds, (stamped[0][0], begun[0], ended[0]))


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _step_of(pod: Mapping[str, Any]) -> str:
    """`train` of `run.train(0)`, its first try."""
    node = str(pod["metadata"]["annotations"][_NODE])
    return node.rpartition(".")[2].partition("(")[0]


def _pods_of(stack: str, env: dict[str, str]) -> Any:
    from kubernetes import client

    from mlops_infra.cli.open_stack import OpenStack
    from mlops_infra.kube.opening import open_client
    from mlops_infra.progress import quiet

    os.environ.update(env)
    return client.CoreV1Api(open_client(*OpenStack(stack, None, quiet).kubeconfig))


def _tell(step: Step, steps: list[Step]) -> None:
    whole = dict(zip((each.name for each in steps), _whole(steps), strict=True))
    parts = ", ".join(f"{key} {seconds:.2f}" for key, seconds in _parts(step).items())
    print(f"  {step.name}: {whole[step.name]:.2f} s ({parts})", file=sys.stderr, flush=True)
