"""Questions that need nothing but GET."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mlops_infra.kube.objects import Object, metadata, namespace_of


class Reader(Protocol):
    """The part of a client that a diagnosis needs; tests replace this."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON document at `path`."""

    def find(self, path: str) -> Object | None:
        """One object; None where there is none."""


def select(reader: Reader, path: str, labels: Mapping[str, str]) -> list[Object]:
    """Objects of the collection `path` that carry all labels."""
    selector = ",".join(f"{key}={value}" for key, value in labels.items())
    items: list[Object] = reader.get(path, {"labelSelector": selector})["items"]
    return items


def pods(reader: Reader, namespace: str, labels: Mapping[str, str]) -> list[Object]:
    """Pods of a namespace that carry all labels."""
    return select(reader, f"/api/v1/namespaces/{namespace}/pods", labels)


def warnings(reader: Reader, obj: Object) -> list[dict[str, Any]]:
    """Warning events about an object, newest first."""
    space = namespace_of(obj) or "default"
    uid = metadata(obj).get("uid", "")
    query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning"}
    items = reader.get(f"/api/v1/namespaces/{space}/events", query)["items"]
    return sorted(items, key=event_time, reverse=True)


def event_time(event: Mapping[str, Any]) -> str:
    """When an event was last seen, as RFC 3339 text; empty where it does not say."""
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or ""
    )
