"""Pure operations on Kubernetes objects as plain dictionaries."""

from __future__ import annotations

import base64
from typing import Any

from mlops_infra.kubeprovider.values import UNKNOWN, Tree

Object = dict[str, Any]

AUTONAMED = "pulumi.com/autonamed"
INPUTS = "__inputs"
INITIAL_VERSION = "__initialApiVersion"
MANAGER = "__fieldManager"

_SERVER_FIELDS = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_SERVER_NOTES = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)


def metadata(obj: Object) -> dict[str, Any]:
    """The object's metadata; empty where it has none or it is unknown."""
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def name_of(obj: Object) -> str:
    """The object's name, or an empty string."""
    return str(metadata(obj).get("name") or "")


def namespace_of(obj: Object) -> str:
    """The object's namespace, or an empty string."""
    return str(metadata(obj).get("namespace") or "")


def annotation(obj: Object, key: str) -> str:
    """One annotation, or an empty string."""
    notes = metadata(obj).get("annotations")
    return str(notes.get(key) or "") if isinstance(notes, dict) else ""


def is_true(obj: Object, key: str) -> bool:
    """Whether an annotation is set to `true`."""
    return annotation(obj, key).lower() == "true"


def identity(obj: Object) -> str:
    """The resource's id in state: `namespace/name`, or `name` outside namespaces."""
    space = namespace_of(obj)
    return f"{space}/{name_of(obj)}" if space else name_of(obj)


def split_identity(text: str) -> tuple[str, str]:
    """Namespace (may be empty) and name of an id."""
    space, _, name = text.rpartition("/")
    return space, name


def title(obj: Object) -> str:
    """How messages call an object: `Deployment mlops/mlflow`."""
    return f"{obj.get('kind', 'object')} {identity(obj)}"


def normalized(obj: Object) -> Object:
    """What is stored and sent: no server fields, `stringData` of a Secret folded into `data`.

    The official provider folds it too, so state that it takes over shows no change.
    """
    result = {key: value for key, value in obj.items() if value is not None}
    meta = result.get("metadata")
    if isinstance(meta, dict):
        result["metadata"] = {k: v for k, v in meta.items() if k not in _SERVER_FIELDS}
    if obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1":
        _fold_string_data(result)
    return result


def _fold_string_data(secret: Object) -> None:
    clear = secret.get("stringData")
    if not isinstance(clear, dict) or not isinstance(secret.get("data", {}), dict):
        return
    folded = {
        key: value if value == UNKNOWN else base64.b64encode(str(value).encode()).decode()
        for key, value in clear.items()
        if value is not None
    }
    del secret["stringData"]
    secret["data"] = {**secret.get("data", {}), **folded}


def as_inputs(live: Object) -> Object:
    """Inputs that would make a live object: for `import`, where nobody wrote any."""
    result = normalized({k: v for k, v in live.items() if k != "status"})
    meta = dict(metadata(result))
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in _SERVER_NOTES}
    if notes:
        meta["annotations"] = notes
    else:
        meta.pop("annotations", None)
    return {**result, "metadata": meta}


_GONE = object()


def refreshed(inputs: Tree, before: Tree, now: Tree) -> Tree:
    """Old inputs moved by what changed in the cluster since the last checkpoint.

    A leaf stays as the user wrote it unless the live value differs from the live value recorded
    `before`; so defaults and canonical forms that the server chose are no drift.
    """
    if now is _GONE:
        return inputs if before is _GONE else _GONE
    if isinstance(inputs, dict) and isinstance(now, dict):
        known = before if isinstance(before, dict) else {}
        moved = {
            key: refreshed(value, known.get(key, _GONE), now.get(key, _GONE))
            for key, value in inputs.items()
        }
        return {key: value for key, value in moved.items() if value is not _GONE}
    if before is _GONE or before == now:
        return inputs
    if isinstance(inputs, list) and isinstance(now, list) and isinstance(before, list):
        return _refreshed_list(inputs, before, now)
    return now


def _refreshed_list(inputs: list[Tree], before: list[Tree], now: list[Tree]) -> list[Tree]:
    if not len(inputs) == len(before) == len(now):
        return now
    return [refreshed(*items) for items in zip(inputs, before, now, strict=True)]


def checkpoint(live: Object, inputs: Object, manager: str, initial_version: str) -> Object:
    """The resource's outputs in state, in the official provider's form."""
    return {
        **live,
        INPUTS: inputs,
        INITIAL_VERSION: initial_version,
        MANAGER: manager,
    }


def without_checkpoint(state: Object) -> Object:
    """The live object as it was recorded."""
    return {k: v for k, v in state.items() if k not in (INPUTS, INITIAL_VERSION, MANAGER)}
