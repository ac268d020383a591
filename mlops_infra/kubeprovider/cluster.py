"""One cluster as the provider sees it: its client, its kinds, and small questions about objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlops_infra.kubeprovider.client import Client
from mlops_infra.kubeprovider.discovery import Discovery, Kind
from mlops_infra.kubeprovider.kinds import CLUSTER_SCOPED
from mlops_infra.kubeprovider.kubeconfig import read_access
from mlops_infra.kubeprovider.objects import Object, metadata, name_of, namespace_of
from mlops_infra.kubeprovider.problems import ApiError, KindMissingError
from mlops_infra.kubeprovider.settings import Settings

_LOG_LINES = 10


class Cluster:
    """Made once per `kubernetes.Provider` resource.

    Raises:
        ProviderError: the kubeconfig is unusable.
    """

    def __init__(self, settings: Settings, on_warning: Callable[[str], None]) -> None:
        access = read_access(settings)
        self.settings = settings
        self.client = Client(access, on_warning)
        self.discovery = Discovery(self.client)
        self.default_namespace = settings.namespace or access.namespace or "default"
        self._scopes: dict[tuple[str, str], bool] = {}

    def version(self) -> str:
        """The server's version, such as `v1.34.4`; also the cheapest proof that it answers."""
        return str(self.client.get("/version")["gitVersion"])

    def kind_of(self, obj: Object) -> Kind:
        """The kind of an object as the server serves it."""
        return self.discovery.kind(str(obj.get("apiVersion")), str(obj.get("kind")))

    def is_namespaced(self, api_version: str, kind: str) -> bool | None:
        """Scope of a kind; None where neither server nor program has told it."""
        known = self._scopes.get((api_version, kind))
        if known is not None:
            return known
        try:
            return self.discovery.kind(api_version, kind).namespaced
        except KindMissingError:
            return None

    def learn_definition(self, crd: Object) -> None:
        """Remember the scope of kinds that a CustomResourceDefinition of the program will add."""
        for kind in _defined(crd):
            self._scopes[kind] = crd["spec"].get("scope") != "Cluster"

    def forget_definition(self, crd: Object) -> None:
        """Kinds that went with their definition are asked for anew."""
        for kind in _defined(crd):
            self.discovery.forget(*kind)

    def placed(self, obj: Object) -> Object:
        """The object with the default namespace if its kind needs one, without one if not."""
        namespaced = self.is_namespaced(str(obj.get("apiVersion")), str(obj.get("kind")))
        return placed(obj, namespaced, self.default_namespace)

    def path_of(self, obj: Object) -> str:
        """API path of an object."""
        return self._path(self.kind_of(obj), obj)

    def living_path(self, obj: Object) -> str | None:
        """The same; None where the server has just said that it does not serve the kind."""
        try:
            kind = self.discovery.kind(
                str(obj.get("apiVersion")), str(obj.get("kind")), certain=True
            )
        except KindMissingError:
            return None
        return self._path(kind, obj)

    def find(self, obj: Object) -> Object | None:
        """The live object, or None where it or its kind is gone."""
        path = self.living_path(obj)
        return self.client.find(path) if path else None

    def _path(self, kind: Kind, obj: Object) -> str:
        return kind.path(namespace_of(obj) or self.default_namespace, name_of(obj))

    def pods(self, namespace: str, labels: dict[str, str]) -> list[Object]:
        """Pods that carry all labels."""
        return self.select(f"/api/v1/namespaces/{namespace}/pods", labels)

    def select(self, path: str, labels: dict[str, str]) -> list[Object]:
        """Objects of a collection that carry all labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        items: list[Object] = self.client.get(path, {"labelSelector": selector})["items"]
        return items

    def warnings(self, obj: Object) -> list[dict[str, Any]]:
        """Warning events about an object, newest first."""
        space = namespace_of(obj) or "default"
        uid = metadata(obj).get("uid", "")
        query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning"}
        items = self.client.get(f"/api/v1/namespaces/{space}/events", query)["items"]
        return sorted(items, key=_event_time, reverse=True)

    def last_lines(self, namespace: str, pod: str, container: str) -> list[str]:
        """Last log lines of a container: of its previous run if it has crashed; may be empty."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        for previous in ("true", "false"):
            query = {"container": container, "tailLines": str(_LOG_LINES), "previous": previous}
            try:
                text = self.client.send("GET", path, query, accept="*/*").decode(errors="replace")
            except ApiError:
                # no such run, or its log is gone: a diagnosis does without
                continue
            if text.strip():
                return text.rstrip().splitlines()
        return []


def placed(obj: Object, namespaced: bool | None, default: str) -> Object:
    """See `Cluster.placed`; an unknown scope is settled by what built-in kinds tell."""
    if namespaced is None:
        if obj.get("kind") not in CLUSTER_SCOPED:
            return obj
        namespaced = False
    meta = dict(metadata(obj))
    if not namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = default
    return {**obj, "metadata": meta}


def _event_time(event: dict[str, Any]) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _defined(crd: Object) -> list[tuple[str, str]]:
    """Version and name of each kind that a CustomResourceDefinition adds."""
    spec = crd.get("spec")
    if not isinstance(spec, dict):
        return []
    name = spec.get("names", {}).get("kind")
    return [
        (f"{spec.get('group')}/{each.get('name')}", name) for each in spec.get("versions") or []
    ]
