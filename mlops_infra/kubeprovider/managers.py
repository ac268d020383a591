"""Field managers: who owns which field of an object, and which objects are ours.

Every resource has its own manager, derived from its URN. An object that carries it was made by that
resource, even if the engine was killed before it could record that: the next run adopts it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from mlops_infra.kubeprovider.objects import MANAGER, Object, metadata

OFFICIAL = "pulumi-kubernetes"
"""The manager that the official provider creates objects with, by operation Update."""


def backend_id() -> str:
    """What tells two backends with the same project and stack apart.

    Without it they would adopt each other's objects on one cluster.
    """
    for variable in ("MLOPS_INFRA_BACKEND_ID", "PULUMI_BACKEND_URL"):
        if os.environ.get(variable):
            return os.environ[variable]
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        credentials = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # nobody logged in: the backend comes from the project's file, which the URN names
        return ""
    return str(credentials.get("current", ""))


def derived(urn: str) -> str:
    """The manager of a resource that has none in state yet."""
    digest = hashlib.sha256(f"{backend_id()}\n{urn}".encode()).hexdigest()
    return f"{OFFICIAL}-{digest[:12]}"


def of(state: Object, urn: str) -> str:
    """The manager named in state, as either provider wrote it, else the derived one."""
    return str(state.get(MANAGER) or derived(urn))


def owns(live: Object, manager: str) -> bool:
    """Whether `manager` ever wrote to the object."""
    return any(entry.get("manager") == manager for entry in _entries(live))


def migrated(live: Object, manager: str) -> list[dict[str, Any]] | None:
    """Managed fields with what was created or updated by Pulumi handed to `manager`'s Apply.

    Server-side apply can neither change nor remove a field that another entry owns, and the
    official Create leaves such an entry.

    Returns:
        The new list, or None where nothing has to move.
    """
    entries = _entries(live)
    moving = [e for e in entries if _is_leftover(e, manager)]
    if not moving:
        return None
    kept = [e for e in entries if e not in moving]
    target = next((e for e in kept if _is_apply(e, manager)), None)
    if target is None:
        target = {**moving.pop(0), "manager": manager, "operation": "Apply"}
    else:
        kept.remove(target)
    fields = target.get("fieldsV1", {})
    for entry in moving:
        fields = _united(fields, entry.get("fieldsV1", {}))
    return [*kept, {**target, "fieldsV1": fields}]


def _entries(live: Object) -> list[dict[str, Any]]:
    return list(metadata(live).get("managedFields") or [])


def _is_leftover(entry: dict[str, Any], manager: str) -> bool:
    return (
        entry.get("operation") == "Update"
        and not entry.get("subresource")
        and entry.get("manager") in {OFFICIAL, manager}
    )


def _is_apply(entry: dict[str, Any], manager: str) -> bool:
    return (
        entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and entry.get("manager") == manager
    )


def _united(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {key: _united(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **both}
