"""What is still there after a teardown, in the cluster and on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from mlops_infra.plan.stateful import STACK_LABEL
from mlops_infra.progress import Sink, step
from mlops_infra.teardown import volumes
from mlops_infra.teardown.cluster_access import ClusterAccess, Found

SWEEP_PATIENCE = 30.0
"""Seconds for what carries our label to go after it was told to."""


def sweep(access: ClusterAccess, stack: str, kept: Iterable[str] | None, sink: Sink) -> None:
    """Delete what carries the stack's label and is not in the state: halves of a killed run.

    Only the label of this very stack counts, and objects that another owns go with their owner.

    Args:
        access: the cluster.
        stack: whose label counts.
        kept: names of volumes that stay, beside what is marked to be kept; None: all goes.
        sink: progress.
    """
    spare = None if kept is None else set(kept)
    with step(sink, "Looking for objects outside the state", unit="objects") as work:
        told: set[Found] = set()
        deadline = time.monotonic() + SWEEP_PATIENCE
        while True:
            here = _ours(access, stack, spare)
            for each in here:
                if each not in told and not each.terminating and not each.owned:
                    work.note(str(each))
                    access.delete(each)
                    told.add(each)
                    work.advance()
            if not here or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        work.end("done" if told else "unchanged", f"{len(told)} removed" if told else "nothing")


def in_cluster(
    access: ClusterAccess, stack: str, namespaces: Sequence[str], kept: Iterable[str] | None
) -> list[str]:
    """Namespaces with what holds them, everything with our label, volumes without a claim.

    A volume that its own StorageClass or administrator retains is not ours to remove, nor a fault.
    """
    spare = None if kept is None else set(kept)
    found = [str(each) for each in _ours(access, stack, spare)]
    for name in namespaces:
        found += [f"{each} (holds namespace {name})" for each in access.inside(name)
                  if each.finalizers and str(each) not in found]  # fmt: skip
    for volume in volumes.of_namespaces(access, namespaces):
        line = f"PersistentVolume {volume.metadata.name}, {volume.status.phase.lower()}"
        retained = volume.spec.persistent_volume_reclaim_policy == "Retain"
        if volume.metadata.name not in (spare or ()) and not retained:
            found.append(line)
    return list(dict.fromkeys(found))


def on_machine(paths: Iterable[Path]) -> list[str]:
    """Which of the paths that must be gone are there."""
    return [str(path) for path in paths if path.exists()]


def staying(access: ClusterAccess, stack: str) -> list[str]:
    """Objects of the stack that the configuration says to keep: definitions that others may use."""
    return [str(each) for each in access.labelled(f"{STACK_LABEL}={stack}") if each.kept]


def _ours(access: ClusterAccess, stack: str, spare: set[str] | None) -> list[Found]:
    found = access.labelled(f"{STACK_LABEL}={stack}")
    if spare is None:
        return list(found)
    return [
        each
        for each in found
        if not each.kept and not (each.kind == "PersistentVolume" and each.name in spare)
    ]
