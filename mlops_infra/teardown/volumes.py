"""Volumes that outlive the platform: kept on request, found again by the next `up`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_infra.plan.stateful import STACK_LABEL
from mlops_infra.teardown.cluster_access import TIMEOUT, ClusterAccess

KEPT_LABEL = "mlops-infra.dev/kept"
"""On PersistentVolumes that a teardown kept."""

RELEASE_PATIENCE = 30.0
"""Seconds for the cluster to notice that a kept volume's claim is gone."""


@dataclass(frozen=True, slots=True)
class KeptVolume:
    """A volume that stays, and where its data lies."""

    volume: str
    claim: str
    """`namespace/name` of the claim; a new claim of that name gets this volume."""
    where: str

    def __str__(self) -> str:
        return f"{self.claim} on volume {self.volume} at {self.where}"


def to_keep(access: ClusterAccess, namespaces: Sequence[str], *, everything: bool) -> list[str]:
    """Names of volumes to keep: all of the namespaces, or those whose workload asks for it.

    A chart with `persistence.retain` sets `persistentVolumeClaimRetentionPolicy`; that alone would
    not help, for the namespace goes and takes the claim along.
    """
    found: list[str] = []
    for namespace in namespaces:
        claims = access.core.list_namespaced_persistent_volume_claim(
            namespace, _request_timeout=TIMEOUT
        ).items
        asked = None if everything else tuple(_asking(access, namespace))
        found += [
            str(claim.spec.volume_name)
            for claim in claims
            if claim.spec.volume_name
            and (asked is None or any(_made_for(claim.metadata.name, each) for each in asked))
        ]
    return found


def keep(access: ClusterAccess, volumes: Iterable[str], stack: str) -> None:
    """Tell the cluster not to remove these volumes with their claims."""
    body = {
        "metadata": {"labels": {KEPT_LABEL: "true", STACK_LABEL: stack}},
        "spec": {"persistentVolumeReclaimPolicy": "Retain"},
    }
    for name in volumes:
        access.core.patch_persistent_volume(name, body, _request_timeout=TIMEOUT)


def let_go(access: ClusterAccess, namespaces: Sequence[str], keep: Iterable[str]) -> None:
    """Volumes that were kept once, are in use again and are not to be kept now go with the rest."""
    spare = set(keep)
    for volume in of_namespaces(access, namespaces):
        labels = volume.metadata.labels or {}
        name = volume.metadata.name
        if KEPT_LABEL in labels and volume.status.phase == "Bound" and name not in spare:
            body = {
                "metadata": {"labels": {KEPT_LABEL: None, STACK_LABEL: None}},
                "spec": {"persistentVolumeReclaimPolicy": "Delete"},
            }
            access.core.patch_persistent_volume(name, body, _request_timeout=TIMEOUT)


def offer_again(access: ClusterAccess, stack: str) -> list[KeptVolume]:
    """Make the kept volumes free for claims of the same name, and return them.

    A released volume remembers the very claim it had. Without that claim's uid it waits for one of
    the same namespace and name, which is what the next `up` makes.
    """
    deadline = time.monotonic() + RELEASE_PATIENCE
    while True:
        volumes = kept(access, stack)
        if all(v.status.phase in {"Released", "Available"} for v in volumes):
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    for volume in volumes:
        if volume.spec.claim_ref is not None and volume.spec.claim_ref.uid:
            body = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}
            access.core.patch_persistent_volume(
                volume.metadata.name, body, _request_timeout=TIMEOUT
            )
    return [_told(volume) for volume in volumes]


def purge(access: ClusterAccess, stack: str) -> list[str]:
    """Remove the kept volumes of the stack with their data; returns what was removed.

    With the policy `Delete` a released volume is removed by whatever provisioned it, data included.
    """
    removed = []
    for volume in kept(access, stack):
        access.core.patch_persistent_volume(
            volume.metadata.name,
            {"spec": {"persistentVolumeReclaimPolicy": "Delete"}},
            _request_timeout=TIMEOUT,
        )
        if volume.status.phase == "Available":
            # nobody releases what is not bound: the object goes, its provisioner keeps no data
            access.core.delete_persistent_volume(volume.metadata.name, _request_timeout=TIMEOUT)
        removed.append(str(_told(volume)))
    return removed


def kept(access: ClusterAccess, stack: str) -> list[Any]:
    """The PersistentVolumes that teardowns of this stack kept."""
    selector = f"{KEPT_LABEL}=true,{STACK_LABEL}={stack}"
    found = access.core.list_persistent_volume(label_selector=selector, _request_timeout=TIMEOUT)
    return list(found.items)


def of_namespaces(access: ClusterAccess, namespaces: Iterable[str]) -> list[Any]:
    """Every PersistentVolume whose claim is, or was, in one of `namespaces`."""
    names = set(namespaces)
    volumes = access.core.list_persistent_volume(_request_timeout=TIMEOUT).items
    return [v for v in volumes if v.spec.claim_ref and v.spec.claim_ref.namespace in names]


def _asking(access: ClusterAccess, namespace: str) -> Iterable[str]:
    """`<template>-<set>-` of every StatefulSet whose claims are to be retained."""
    sets = access.apps.list_namespaced_stateful_set(namespace, _request_timeout=TIMEOUT).items
    for each in sets:
        policy = each.spec.persistent_volume_claim_retention_policy
        if policy is not None and policy.when_deleted == "Retain":
            for template in each.spec.volume_claim_templates or ():
                yield f"{template.metadata.name}-{each.metadata.name}-"


def _made_for(claim: str, prefix: str) -> bool:
    return claim.startswith(prefix) and claim.removeprefix(prefix).isdigit()


def _told(volume: Any) -> KeptVolume:
    spec = volume.spec
    source = next((s.path for s in (spec.local, spec.host_path) if s is not None), None)
    if source is None:
        source = spec.csi.volume_handle if spec.csi is not None else "its storage"
    claim = f"{spec.claim_ref.namespace}/{spec.claim_ref.name}" if spec.claim_ref else "?"
    return KeptVolume(volume.metadata.name, claim, str(source))
