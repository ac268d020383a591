"""Claims on kept volumes that have to be there before the operator which once made them.

A claim of a StatefulSet is made again under its name and gets its volume. An operator is different:
CloudNativePG takes over claims that it finds, but makes a new database in a volume behind a claim
that it makes itself, and puts aside what lay there. So `down` notes such claims on their volumes
and `up` makes them first.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from mlops_infra import contract
from mlops_infra.components.labels import labels
from mlops_infra.kube import ApiError, Cluster
from mlops_infra.kube.cluster import APPLY
from mlops_infra.kube.objects import Object, annotation, metadata, name_of
from mlops_infra.naming import field_manager
from mlops_infra.plan import Plan
from mlops_infra.plan.stateful import PLATFORM
from mlops_infra.progress import Sink, step

_VOLUMES = "/api/v1/persistentvolumes"
_BINDING = ("pv.kubernetes.io/", "volume.kubernetes.io/", "volume.beta.kubernetes.io/")
"""Annotations in which the cluster notes which volume a claim has and why."""
_SPEC = ("accessModes", "resources", "storageClassName", "volumeMode")


def noted(claim: Object) -> str | None:
    """What `up` needs to make `claim` again; None where no operator has made it."""
    about = metadata(claim)
    groups = [_group(each) for each in about.get("ownerReferences") or ()]
    group = next((each for each in groups if "." in each), None)
    if group is None:
        return None
    notes = {
        key: value
        for key, value in (about.get("annotations") or {}).items()
        if not key.startswith(_BINDING)
    }
    spec = {key: claim["spec"][key] for key in _SPEC if key in claim["spec"]}
    made = {"labels": about.get("labels") or {}, "annotations": notes, "spec": spec}
    return json.dumps({"group": group, **made}, sort_keys=True)


def make_again(cluster: Cluster, plan: Plan, sink: Sink) -> None:
    """Make the noted claims of volumes that are free, where the plan has their operator.

    Raises:
        ApiError, UnreachableError: the cluster refuses, or does not answer.
    """
    selector = f"{contract.KEPT_LABEL}=true,{contract.STACK_LABEL}={plan.stack}"
    found = cluster.get(_VOLUMES, {"labelSelector": selector})["items"]
    free = [each for each in found if _is_free(each, _groups(plan))]
    if not free:
        return
    with step(sink, "Taking up kept volumes", total=len(free), unit="volumes") as work:
        for volume in free:
            _make(cluster, volume, plan.stack)
            work.advance()


def _is_free(volume: Object, groups: Collection[str]) -> bool:
    text = annotation(volume, contract.CLAIM_ANNOTATION)
    bound = (volume.get("status") or {}).get("phase") == "Bound"
    return bool(text) and not bound and json.loads(text)["group"] in groups


def _make(cluster: Cluster, volume: Object, stack: str) -> None:
    place = volume["spec"]["claimRef"]
    note = json.loads(annotation(volume, contract.CLAIM_ANNOTATION))
    _namespace(cluster, place["namespace"], stack)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": place["name"],
            "labels": note["labels"],
            "annotations": note["annotations"],
        },
        "spec": {**note["spec"], "volumeName": name_of(volume)},
    }
    path = f"/api/v1/namespaces/{place['namespace']}/persistentvolumeclaims"
    try:
        cluster.send("POST", path, body=claim)
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT:  # an `up` that was killed has made it
            raise


def _namespace(cluster: Cluster, name: str, stack: str) -> None:
    """In the stack's name, so that the program takes it over."""
    path = f"/api/v1/namespaces/{name}"
    if cluster.find(path) is not None:
        return
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels(stack, PLATFORM)},
    }
    query = {"fieldManager": field_manager(stack), "force": "true"}
    cluster.send("PATCH", path, query, body=body, content=APPLY)


def _groups(plan: Plan) -> frozenset[str]:
    """API groups that this stack has operators for."""
    values = next((each.values for each in plan.components if each.name == "crds"), {})
    return frozenset(str(each) for each in values.get("groups", ()))


def _group(owner: Mapping[str, Any]) -> str:
    return str(owner["apiVersion"]).partition("/")[0]
