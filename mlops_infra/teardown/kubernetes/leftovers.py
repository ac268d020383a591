"""What is still there after a teardown."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from mlops_infra import contract
from mlops_infra.kube import Cluster, survey
from mlops_infra.kube.objects import name_of
from mlops_infra.kube.survey import Found
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.kubernetes import volumes
from mlops_infra.teardown.kubernetes.access import delete

_POLICY = "helm.sh/resource-policy"

SWEEP_PATIENCE = 30.0
"""Seconds for what carries our label to go after it was told to."""


def sweep(cluster: Cluster, stack: str, kept: Iterable[str] | None, sink: Sink) -> None:
    """Delete what carries the stack's label and is not in the state: halves of a killed run.

    Only the label of this very stack counts, and objects that another owns go with their owner.

    Args:
        cluster: the cluster.
        stack: whose label counts.
        kept: names of volumes that stay, beside what is marked to be kept; None: all goes.
        sink: progress.
    """
    spare = None if kept is None else set(kept)
    with step(sink, "Looking for objects outside the state", unit="objects") as work:
        asked: set[str] = set()
        deadline = time.monotonic() + SWEEP_PATIENCE
        while True:
            here = _ours(cluster, stack, spare)
            for each in here:
                if each.uid not in asked and not each.terminating and not each.owned:
                    work.note(str(each))
                    delete(cluster, each.path)
                    asked.add(each.uid)
                    work.advance()
            if not here or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        work.end("done" if asked else "unchanged", f"{len(asked)} removed" if asked else "nothing")


def in_cluster(
    cluster: Cluster, stack: str, namespaces: Sequence[str], kept: Iterable[str] | None
) -> list[str]:
    """Namespaces with what holds them, everything with our label, volumes without a claim.

    A volume that its own StorageClass or administrator retains is not ours to remove, nor a fault.
    """
    spare = None if kept is None else set(kept)
    found = [str(each) for each in _ours(cluster, stack, spare)]
    found += [
        f"{each} (holds namespace {each.namespace})"
        for each in survey.inside(cluster, namespaces).objects
        if each.finalizers and str(each) not in found
    ]
    for volume in volumes.of_namespaces(cluster, namespaces):
        line = f"PersistentVolume {name_of(volume)}, {volumes.phase(volume).lower()}"
        retained = volume["spec"].get("persistentVolumeReclaimPolicy") == "Retain"
        if name_of(volume) not in (spare or ()) and not retained:
            found.append(line)
    return list(dict.fromkeys(found))


def staying(cluster: Cluster, stack: str) -> list[str]:
    """Objects of the stack that the configuration says to keep: definitions that others may use."""
    found = survey.labelled(cluster, f"{contract.STACK_LABEL}={stack}").objects
    return [str(each) for each in found if is_kept(each)]


def is_kept(found: Found) -> bool:
    """Whether the configuration says that an object stays: `cluster.crds: keep`."""
    return dict(found.annotations).get(_POLICY) == "keep"


def _ours(cluster: Cluster, stack: str, spare: set[str] | None) -> list[Found]:
    found = survey.labelled(cluster, f"{contract.STACK_LABEL}={stack}").objects
    if spare is None:
        return list(found)
    return [
        each
        for each in found
        if not is_kept(each) and not (each.kind == "PersistentVolume" and each.name in spare)
    ]
