"""Reads and writes objects of a cluster that serve models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from mlops_infra import kube
from mlops_infra.errors import InputError, OperationFailed
from mlops_infra.kube import ApiError
from mlops_infra.kube.cluster import APPLY

SECONDS = 30.0
"""Longest silence of the API server: admission webhooks may take their time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object by its API."""

    group: str
    """Empty for the core API."""
    version: str
    plural: str


POD = Kind("", "v1", "pods")
EVENT = Kind("", "v1", "events")
CONFIG_MAP = Kind("", "v1", "configmaps")


class Cluster(Protocol):
    """The part of a cluster that serving needs; all raise `OperationFailed` alone."""

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        """One object; None where there is none."""

    def list(self, kind: Kind, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Objects by labels."""

    def apply(self, kind: Kind, namespace: str, body: Mapping[str, Any]) -> None:
        """Make the object, or bring it to `body`."""

    def delete(self, kind: Kind, namespace: str, name: str) -> bool:
        """Delete it with all that belongs to it; whether it was there."""


class KubernetesCluster:
    """A `Cluster` behind a kubeconfig, or the one that this Pod runs in."""

    def __init__(self, kubeconfig: Path | None = None, context: str | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._context = context

    def get(self, kind: Kind, namespace: str, name: str) -> dict[str, Any] | None:
        """One object; None where there is none."""
        return self._cluster.find(f"{_path(kind, namespace)}/{name}")

    def list(self, kind: Kind, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Objects by labels."""
        query = {"labelSelector": selector} if selector else None
        return list(self._cluster.get(_path(kind, namespace), query).get("items") or ())

    def apply(self, kind: Kind, namespace: str, body: Mapping[str, Any]) -> None:
        """Make the object, or bring it to `body` by server-side apply."""
        self._cluster.send(
            "PATCH",
            f"{_path(kind, namespace)}/{body['metadata']['name']}",
            {"fieldManager": "mlops-infra-promotion", "force": "true"},
            body=body,
            content=APPLY,
        )

    def delete(self, kind: Kind, namespace: str, name: str) -> bool:
        """Delete it with all that belongs to it; whether it was there."""
        path = f"{_path(kind, namespace)}/{name}"
        try:
            self._cluster.send("DELETE", path, {"propagationPolicy": "Background"})
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    @cached_property
    def _cluster(self) -> kube.Cluster:
        try:
            return kube.Cluster.open(self._kubeconfig, self._context, seconds=SECONDS)
        except InputError as error:
            raise OperationFailed(
                f"no cluster is configured: {error.what}",
                where=str(self._kubeconfig or "default kubeconfig"),
                hint="set cluster.kubeconfig, or start one: mlops-infra up -s STACK",
            ) from error


def _path(kind: Kind, namespace: str) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}"
