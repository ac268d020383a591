"""Reads and writes objects of a cluster that serve models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from urllib3 import Timeout

from mlops_infra.errors import OperationFailed

CONNECT_SECONDS, READ_SECONDS = 5, 30
_IN_A_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object by its API."""

    group: str
    """Empty for the core API."""
    version: str
    plural: str


POD = Kind("", "v1", "pods")
EVENT = Kind("", "v1", "events")


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
        return self._call("GET", f"{_path(kind, namespace)}/{name}", missing=True)

    def list(self, kind: Kind, namespace: str, selector: str = "") -> list[dict[str, Any]]:
        """Objects by labels."""
        query = {"labelSelector": selector} if selector else None
        found = self._call("GET", _path(kind, namespace), query=query)
        return list((found or {}).get("items") or ())

    def apply(self, kind: Kind, namespace: str, body: Mapping[str, Any]) -> None:
        """Make the object, or bring it to `body` by server-side apply."""
        self._call(
            "PATCH",
            f"{_path(kind, namespace)}/{body['metadata']['name']}",
            query={"fieldManager": "mlops-infra-promotion", "force": "true"},
            body=body,
        )

    def delete(self, kind: Kind, namespace: str, name: str) -> bool:
        """Delete it with all that belongs to it; whether it was there."""
        found = self._call(
            "DELETE",
            f"{_path(kind, namespace)}/{name}",
            body={"propagationPolicy": "Background"},
            missing=True,
        )
        return found is not None

    @cached_property
    def _client(self) -> Any:
        from kubernetes import client, config

        try:
            return self._connected(client, config)
        except (config.ConfigException, OSError) as error:
            raise OperationFailed(
                f"no cluster is configured: {error}",
                where=str(self._kubeconfig or "default kubeconfig"),
                hint="set cluster.kubeconfig, or start one: mlops-infra up",
            ) from error

    def _connected(self, client: Any, config: Any) -> Any:
        if self._kubeconfig is None and _IN_A_POD.exists():
            config.load_incluster_config()
            made = client.ApiClient()
        else:
            made = config.new_client_from_config(
                config_file=str(self._kubeconfig) if self._kubeconfig else None,
                context=self._context,
            )
        # A cluster that is gone must be told at once, not after urllib3's own retries.
        made.rest_client.pool_manager.connection_pool_kw["retries"] = False
        return made

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        missing: bool = False,
    ) -> dict[str, Any] | None:
        settings = self._client.configuration
        headers = {"Accept": _JSON, "Content-Type": _CONTENT.get(method, _JSON)}
        # Renews a token that ran out. The library's own `call_api` changes with every release.
        if bearer := settings.get_api_key_with_prefix("authorization"):
            headers["Authorization"] = bearer
        url = f"{settings.host}{path}" + (f"?{urlencode(query)}" if query else "")
        with self._told(f"{method} {path}"):
            answer = self._client.rest_client.pool_manager.request(
                method,
                url,
                headers=headers,
                body=json.dumps(body) if body is not None else None,
                timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            )
        if missing and answer.status == HTTPStatus.NOT_FOUND:
            return None
        read = _read(answer.data)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            why = read.get("message") or f"HTTP {answer.status}"
            raise OperationFailed(f"the cluster refuses: {why}", where=f"{method} {path}")
        return read

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (HTTPError, OSError) as error:
            raise OperationFailed(
                f"the cluster cannot be reached: {error}",
                where=what,
                hint="check that the cluster runs: mlops-infra cluster status",
            ) from error


_JSON = "application/json"
_CONTENT = {"PATCH": "application/apply-patch+yaml"}


def _path(kind: Kind, namespace: str) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}"


def _read(body: bytes) -> dict[str, Any]:
    try:
        read = json.loads(body)
    except ValueError:
        return {"message": body[:200].decode(errors="replace")}
    return read if isinstance(read, dict) else {}
