"""Other people's webhooks and definitions, out of the way for a while and put back afterwards.

What was changed stands in an annotation of the object itself, so that a run that is killed in
between loses nothing: the next one puts it back at its end.
"""

from __future__ import annotations

import json
from typing import Any

from mlops_infra import contract
from mlops_infra.kube import Cluster, Holder
from mlops_infra.kube.webhooks import ADMISSION, KINDS
from mlops_infra.teardown.kubernetes.access import patch

ANNOTATION = contract.SET_ASIDE_ANNOTATION
_BY_NAME = "application/strategic-merge-patch+json"
"""Lists of webhooks are merged by their names."""
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_HELD = ("failurePolicy", "timeoutSeconds")


def take(cluster: Cluster, holder: Holder) -> None:
    """Let the API server do without the holder's webhooks, or without its conversion webhook."""
    path = holder.object.path
    live = cluster.find(path)
    if live is None or ANNOTATION in (live["metadata"].get("annotations") or {}):
        return
    if holder.what == "webhook":
        dead = [each for each in live["webhooks"] if each["name"] in holder.names]
        before: Any = [{"name": e["name"], **{key: e.get(key) for key in _HELD}} for e in dead]
        now: Any = [
            {"name": each["name"], "failurePolicy": "Ignore", "timeoutSeconds": 1} for each in dead
        ]
        body = {"webhooks": now, **_noted(before)}
        patch(cluster, path, body, content=_BY_NAME)
    else:
        before = live["spec"].get("conversion")
        body = {"spec": {"conversion": {"strategy": "None", "webhook": None}}, **_noted(before)}
        patch(cluster, path, body)


def restore(cluster: Cluster) -> list[str]:
    """Put everything back that was set aside; titles of what was."""
    restored = []
    for kind, plural in KINDS.items():
        for live in cluster.get(f"{ADMISSION}/{plural}")["items"]:
            if (before := _before(live)) is not None:
                name = live["metadata"]["name"]
                body = {"webhooks": before, **_noted(None)}
                patch(cluster, f"{ADMISSION}/{plural}/{name}", body, content=_BY_NAME)
                restored.append(f"{kind} {name}")
    for live in cluster.get(_DEFINITIONS)["items"]:
        if (before := _before(live)) is not None:
            name = live["metadata"]["name"]
            body = {"spec": {"conversion": before}, **_noted(None)}
            patch(cluster, f"{_DEFINITIONS}/{name}", body)
            restored.append(f"CustomResourceDefinition {name}")
    return restored


def _noted(before: Any) -> dict[str, Any]:
    text = None if before is None else json.dumps(before)
    return {"metadata": {"annotations": {ANNOTATION: text}}}


def _before(live: dict[str, Any]) -> Any:
    text = (live["metadata"].get("annotations") or {}).get(ANNOTATION)
    return None if text is None else json.loads(text)
