"""Puts objects back to what was applied to them, by the same server-side apply.

The state is right and the cluster is not, so the state's own inputs are applied again. Pulumi's
`refresh` would do it the other way round: it takes what somebody wrote into the state, and then
replaces what cannot be updated there, Secrets for example.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_infra.components.secret_values import redacted
from mlops_infra.engine.applied_fields import encrypted, in_clear, whole
from mlops_infra.engine.events import Change
from mlops_infra.engine.live_objects import Difference, Reveal
from mlops_infra.errors import OperationFailed
from mlops_infra.kube import ApiError, Cluster, causes
from mlops_infra.kube.cluster import APPLY
from mlops_infra.kube.rollout import RULES
from mlops_infra.naming import field_manager
from mlops_infra.progress import Sink, step

PATIENCE = 120.0
"""Seconds for the Pods of a restored workload."""
_PERIOD = 0.5


def restore(
    cluster: Cluster,
    altered: Sequence[Difference],
    changes: Sequence[Change],
    stack: str,
    reveal: Reveal,
    sink: Sink,
) -> None:
    """Apply the state's inputs again, in the state's order, and wait until Pods are ready.

    Args:
        cluster: where the objects are.
        altered: what somebody has changed.
        changes: what the run itself changes; those objects are left to it.
        stack: its name; fields that others took over are taken back.
        reveal: called where an object has secret values.
        sink: takes the progress.

    Raises:
        OperationFailed: the cluster refuses, or Pods do not become ready.
    """
    touched = {change.urn for change in changes}
    altered = [each for each in altered if each.urn not in touched]
    if not altered:
        return
    clear: dict[str, Any] = {}
    if any(encrypted(each.resource.get("inputs") or {}) for each in altered):
        clear = {str(each["urn"]): each for each in reveal()}
    title = "Restoring what was changed by hand"
    with step(sink, title, total=len(altered), unit="objects") as work:
        for each in altered:
            work.note(str(each))
            resource = clear.get(each.urn, each.resource)
            _apply(cluster, each, whole(in_clear(resource.get("inputs") or {})), stack)
            _wait(cluster, each)
            work.advance()


def takes_over(resources: Iterable[Mapping[str, Any]], stack: str, *, unsure: bool) -> bool:
    """Whether a run may take fields over that another manager wrote.

    That is where a killed run may have written more than its state says, where somebody has
    changed what the stack sets (`unsure`), and where an earlier release has deployed with field
    managers of its own.
    """
    found = (each.get("outputs", {}).get("__fieldManager") for each in resources)
    return unsure or bool({str(manager) for manager in found if manager} - {field_manager(stack)})


def _apply(cluster: Cluster, each: Difference, body: Mapping[str, Any], stack: str) -> None:
    query = {"fieldManager": field_manager(stack), "force": "true"}
    try:
        cluster.send("PATCH", each.path, query, body=body, content=APPLY)
    except ApiError as error:
        raise OperationFailed(
            f"{each.key} was changed by hand and cannot be restored: {redacted(error.message)}",
            where=f"{each.key}: {', '.join(each.fields)}",
            hint=f"change it back or delete it with kubectl, or leave it as it is: "
            f"mlops-infra up -s {stack} --no-refresh",
        ) from error


def _wait(cluster: Cluster, each: Difference) -> None:
    rule = RULES.get((each.key.version.rpartition("/")[0], each.key.kind))
    ends = time.monotonic() + PATIENCE
    while rule is not None:
        verdict = rule(cluster.get(each.path))
        if verdict.ready:
            return
        if time.monotonic() > ends:
            found = causes(cluster, each.key.namespace, kind=each.key.kind, name=each.key.name)
            reason = str(found[0]) if found else verdict.message
            raise OperationFailed(f"{each.key} was restored and is not ready: {reason}")
        time.sleep(_PERIOD)
