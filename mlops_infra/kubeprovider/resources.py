"""What the provider does with one resource, on plain values."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_infra.kubeprovider import deletion, managers, writes
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import (
    INITIAL_VERSION,
    INPUTS,
    Object,
    as_inputs,
    checkpoint,
    normalized,
    refreshed,
    split_identity,
    without_checkpoint,
)
from mlops_infra.kubeprovider.problems import (
    KindMissingError,
    NotReadyError,
    ProviderError,
    UnreachableError,
)
from mlops_infra.kubeprovider.stuck import restart_stuck_pods
from mlops_infra.kubeprovider.values import has_unknown
from mlops_infra.kubeprovider.waits import Watch, look_once, until_ready


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A live object as refresh or import records it."""

    inputs: Object
    outputs: Object
    unready: str
    """Why it is not ready; empty if it is."""


def preview_outputs(cluster: Cluster, inputs: Object, state: Object, urn: str) -> Object:
    """Outputs to show for a create (`state` empty) or an update that is not carried out."""
    if has_unknown(inputs):
        return inputs
    manager = managers.of(state, urn)
    live = writes.preview(cluster, inputs, manager, creating=not state)
    if live is None:
        return inputs
    return checkpoint(live, inputs, manager, _initial(state, inputs))


def create(watch: Watch, inputs: Object, urn: str, timeout: float) -> Object:
    """Create, wait, and give the outputs.

    Raises:
        ProviderError: nothing was created.
        NotReadyError: it was, but is not ready; its `live` holds the outputs.
    """
    manager = managers.derived(urn)
    live = writes.create(watch, inputs, manager)
    return _awaited(watch, live, inputs, manager, _initial({}, inputs), timeout)


def update(watch: Watch, inputs: Object, state: Object, urn: str, timeout: float) -> Object:
    """Change in place, wait, and give the outputs; raises as `create` does."""
    manager = managers.of(state, urn)
    live = writes.update(watch, inputs, state.get(INPUTS) or {}, manager)
    restart_stuck_pods(watch.cluster, live, watch.report)
    return _awaited(watch, live, inputs, manager, _initial(state, inputs), timeout)


def read(
    cluster: Cluster, identity: str, kind: tuple[str, str], inputs: Object, state: Object, urn: str
) -> ReadBack | None:
    """The object as it is now; None where it is gone.

    Args:
        cluster: where it lives.
        identity: the resource's id.
        kind: apiVersion and kind by the resource's type, for an import.
        inputs: as recorded; empty for an import.
        state: outputs as recorded; empty for an import.
        urn: of the resource.
    """
    before = without_checkpoint(state)
    space, name = split_identity(identity)
    api_version = inputs.get("apiVersion") or before.get("apiVersion") or kind[0]
    target = {
        "apiVersion": api_version,
        "kind": inputs.get("kind") or before.get("kind") or kind[1],
        "metadata": {"name": name, **({"namespace": space} if space else {})},
    }
    live = cluster.find(target)
    if live is None:
        return None
    moved = refreshed(inputs, before, live) if inputs else as_inputs(live)
    outputs = checkpoint(live, moved, managers.of(state, urn), _initial(state, moved))
    verdict = look_once(cluster, live)
    unready = "" if verdict is None or verdict.ready else verdict.message
    return ReadBack(moved, outputs, unready)


def delete(watch: Watch, state: Object, urn: str, timeout: float) -> None:
    """Delete and wait until it is gone."""
    cluster = watch.cluster
    try:
        deletion.delete(watch, without_checkpoint(state), managers.of(state, urn), timeout)
    except UnreachableError:
        if not cluster.settings.delete_unreachable:
            raise
        watch.report("the cluster is unreachable: forgotten without being deleted")


def checked(inputs: Object, cluster: Cluster | None) -> Object:
    """Inputs in the form that is stored: normalized, in their namespace."""
    result = normalized(inputs)
    if cluster is None:
        return result
    cluster.learn_definition(result)
    return cluster.placed(result)


def _awaited(
    watch: Watch, live: Object, inputs: Object, manager: str, initial: str, timeout: float
) -> Object:
    try:
        try:
            live = until_ready(watch, live, timeout)
        except (ProviderError, KindMissingError) as error:
            # the object exists: it must be recorded whatever became of the wait
            raise NotReadyError(live, [str(error)]) from error
    except NotReadyError as error:
        outputs = checkpoint(error.live, inputs, manager, initial)
        raise NotReadyError(outputs, error.reasons) from error
    return checkpoint(live, inputs, manager, initial)


def _initial(state: Object, inputs: Object) -> str:
    return str(state.get(INITIAL_VERSION) or inputs.get("apiVersion") or "")
