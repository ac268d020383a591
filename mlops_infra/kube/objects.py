"""Small pure questions about Kubernetes objects as plain dictionaries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Object = dict[str, Any]


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


def label(obj: Object, key: str) -> str:
    """One label, or an empty string."""
    return str((metadata(obj).get("labels") or {}).get(key, ""))


def condition(obj: Object, kind: str) -> dict[str, Any]:
    """One condition of the object's status; empty where it is not there."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), {})


def holds(obj: Object, kind: str) -> bool:
    """Whether a condition has the status True."""
    return condition(obj, kind).get("status") == "True"


def owned(objects: Iterable[Object], owner: Object) -> list[Object]:
    """Those of `objects` that `owner` owns directly."""
    uid = metadata(owner).get("uid")
    return [
        obj
        for obj in objects
        if any(ref.get("uid") == uid for ref in metadata(obj).get("ownerReferences") or [])
    ]
