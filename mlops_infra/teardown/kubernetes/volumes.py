"""Volumes that outlive the platform: kept on request, found again by the next `up`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops_infra import contract
from mlops_infra.engine import kept_claims
from mlops_infra.kube import Cluster
from mlops_infra.kube.objects import Object, name_of
from mlops_infra.teardown.kubernetes.access import delete, patch

VOLUMES = "/api/v1/persistentvolumes"

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


def to_keep(cluster: Cluster, namespaces: Sequence[str], *, everything: bool) -> list[str]:
    """Names of volumes to keep: all of the namespaces, or those whose workload asks for it.

    A chart with `persistence.retain` sets `persistentVolumeClaimRetentionPolicy`; that alone would
    not help, for the namespace goes and takes the claim along.
    """
    found: list[str] = []
    for namespace in namespaces:
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
        claims = cluster.get(path)["items"]
        asked = None if everything else tuple(_asking(cluster, namespace))
        found += [
            str(claim["spec"]["volumeName"])
            for claim in claims
            if claim["spec"].get("volumeName")
            and (asked is None or any(_made_for(name_of(claim), each) for each in asked))
        ]
    return found


def keep(cluster: Cluster, volumes: Iterable[str], stack: str) -> None:
    """Tell the cluster not to remove these volumes with their claims.

    Claims that an operator has made are written down for the next `up`, see `engine.kept_claims`.
    """
    for name in volumes:
        volume = cluster.find(f"{VOLUMES}/{name}")
        claim = _claim(cluster, volume) if volume else None
        noted = kept_claims.noted(claim) if claim else None
        body = {
            "metadata": {
                "labels": {contract.KEPT_LABEL: "true", contract.STACK_LABEL: stack},
                "annotations": {contract.CLAIM_ANNOTATION: noted},
            },
            "spec": {"persistentVolumeReclaimPolicy": "Retain"},
        }
        patch(cluster, f"{VOLUMES}/{name}", body)


def _claim(cluster: Cluster, volume: Object) -> Object | None:
    reference = volume["spec"].get("claimRef")
    if not reference:
        return None
    space = f"/api/v1/namespaces/{reference['namespace']}"
    return cluster.find(f"{space}/persistentvolumeclaims/{reference['name']}")


def let_go(cluster: Cluster, namespaces: Sequence[str], keep: Iterable[str]) -> None:
    """Volumes that were kept once, are in use again and are not to be kept now go with the rest."""
    spare = set(keep)
    for volume in of_namespaces(cluster, namespaces):
        labels = volume["metadata"].get("labels") or {}
        name = name_of(volume)
        if contract.KEPT_LABEL in labels and phase(volume) == "Bound" and name not in spare:
            body = {
                "metadata": {"labels": {contract.KEPT_LABEL: None, contract.STACK_LABEL: None}},
                "spec": {"persistentVolumeReclaimPolicy": "Delete"},
            }
            patch(cluster, f"{VOLUMES}/{name}", body)


def offer_again(cluster: Cluster, stack: str) -> list[KeptVolume]:
    """Make the kept volumes free for claims of the same name, and return them.

    A released volume remembers the very claim it had. Without that claim's uid it waits for one of
    the same namespace and name, which is what the next `up` makes.
    """
    deadline = time.monotonic() + RELEASE_PATIENCE
    while True:
        volumes = kept(cluster, stack)
        if all(phase(v) in {"Released", "Available"} for v in volumes):
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
    for volume in volumes:
        if (volume["spec"].get("claimRef") or {}).get("uid"):
            body = {"spec": {"claimRef": {"uid": None, "resourceVersion": None}}}
            patch(cluster, f"{VOLUMES}/{name_of(volume)}", body)
    return [_described(volume) for volume in volumes]


def purge(cluster: Cluster, stack: str) -> list[str]:
    """Remove the kept volumes of the stack with their data; returns what was removed.

    With the policy `Delete` a released volume is removed by whatever provisioned it, data included.
    """
    removed = []
    for volume in kept(cluster, stack):
        path = f"{VOLUMES}/{name_of(volume)}"
        patch(cluster, path, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})
        if phase(volume) == "Available":
            # nobody releases what is not bound: the object goes, its provisioner keeps no data
            delete(cluster, path)
        removed.append(str(_described(volume)))
    return removed


def kept(cluster: Cluster, stack: str) -> list[Object]:
    """The PersistentVolumes that teardowns of this stack kept."""
    selector = f"{contract.KEPT_LABEL}=true,{contract.STACK_LABEL}={stack}"
    return list(cluster.get(VOLUMES, {"labelSelector": selector})["items"])


def of_namespaces(cluster: Cluster, namespaces: Iterable[str]) -> list[Object]:
    """Every PersistentVolume whose claim is, or was, in one of `namespaces`."""
    names = set(namespaces)
    volumes = cluster.get(VOLUMES)["items"]
    return [v for v in volumes if (v["spec"].get("claimRef") or {}).get("namespace") in names]


def phase(volume: Object) -> str:
    """`Bound`, `Released`, `Available`…"""
    return str((volume.get("status") or {}).get("phase", ""))


def _asking(cluster: Cluster, namespace: str) -> Iterable[str]:
    """`<template>-<set>-` of every StatefulSet whose claims are to be retained."""
    for each in cluster.get(f"/apis/apps/v1/namespaces/{namespace}/statefulsets")["items"]:
        policy = each["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        if policy.get("whenDeleted") == "Retain":
            for template in each["spec"].get("volumeClaimTemplates") or ():
                yield f"{name_of(template)}-{name_of(each)}-"


def _made_for(claim: str, prefix: str) -> bool:
    return claim.startswith(prefix) and claim.removeprefix(prefix).isdigit()


def _described(volume: Object) -> KeptVolume:
    spec = volume["spec"]
    local = spec.get("local") or spec.get("hostPath") or {}
    source = local.get("path") or (spec.get("csi") or {}).get("volumeHandle") or "its storage"
    claim = spec.get("claimRef") or {}
    where = f"{claim['namespace']}/{claim['name']}" if claim else "?"
    return KeptVolume(name_of(volume), where, str(source))
