"""The cluster as a teardown sees it: a few typed clients, and a look at everything there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_infra.errors import OperationFailed
from mlops_infra.kube import open_client
from mlops_infra.plan.stateful import STACK_LABEL

TIMEOUT = 15
"""Seconds for each request."""

_BUSY = 429
"""Although `open_client` has asked again for half a minute."""

_NOT_OBJECTS = frozenset({"events", "componentstatuses", "bindings", "endpoints"})
"""Kinds that the cluster itself makes and removes, or that are no objects."""

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_JSON, _MERGE = {"Accept": "application/json"}, "application/merge-patch+json"
_POLICY = "helm.sh/resource-policy"
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


@dataclass(frozen=True, slots=True)
class Found:
    """One object in the cluster."""

    version: str
    kind: str
    plural: str
    namespace: str
    name: str
    finalizers: tuple[str, ...]
    terminating: bool
    owned: bool
    """Whether another object owns it, so that it goes with that one."""
    kept: bool
    """Whether the configuration says that it stays: `cluster.crds: keep`."""

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        stuck = f", terminating, held by {', '.join(self.finalizers)}" if self.terminating else ""
        return f"{self.kind} {where}{stuck}"


class ClusterAccess:
    """Opened by a kubeconfig.

    Raises:
        InputError: the kubeconfig is wrong.
        OperationFailed: the cluster does not answer.
    """

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        import urllib3
        from kubernetes import client

        api = open_client(kubeconfig, context)
        self.api = api
        self.core = client.CoreV1Api(api)
        self.apps = client.AppsV1Api(api)
        self.batch = client.BatchV1Api(api)
        try:
            client.VersionApi(api).get_code(_request_timeout=TIMEOUT)
        except (client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _unusable(kubeconfig, str(getattr(error, "reason", None) or error)) from error

    def labelled(self, selector: str) -> Iterator[Found]:
        """Every object of every kind that `selector` matches."""
        for version, kind, plural, _ in self._kinds():
            for item in self._list(version, plural, {"labelSelector": selector}):
                yield _found(version, kind, plural, item)

    def inside(self, namespace: str) -> Iterator[Found]:
        """Every object in `namespace`, whoever made it."""
        for version, kind, plural, namespaced in self._kinds():
            if namespaced:
                for item in self._list(version, plural, {}, namespace):
                    yield _found(version, kind, plural, item)

    def custom(self, namespaces: Sequence[str]) -> list[Found]:
        """Every custom resource in `namespaces`, of whatever definition."""
        found = []
        for each in self._call("GET", _DEFINITIONS)["items"]:
            spec = each["spec"]
            if spec["scope"] != "Namespaced":
                continue
            served = next(v["name"] for v in spec["versions"] if v["served"])
            version, names = f"{spec['group']}/{served}", spec["names"]
            for name in namespaces:
                items = self._list(version, names["plural"], {}, name)
                found += [_found(version, names["kind"], names["plural"], item) for item in items]
        return found

    def drop_finalizers(self, found: Found) -> None:
        """Let an object go although nobody cleans up behind it; fine where it has gone already."""
        self._tolerant("PATCH", found, body={"metadata": {"finalizers": None}})

    def delete_webhooks(self, stack: str) -> None:
        """Delete the stack's admission webhooks."""
        for version, kind, plural, _ in self._kinds():
            if kind in _WEBHOOKS:
                selector = {"labelSelector": f"{STACK_LABEL}={stack}"}
                for item in self._list(version, plural, selector):
                    self.delete(_found(version, kind, plural, item))

    def delete(self, found: Found) -> None:
        """Ask for the deletion of an object; fine where it has gone already."""
        self._tolerant("DELETE", found, query={"propagationPolicy": "Background"})

    def _tolerant(
        self,
        method: str,
        found: Found,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        from kubernetes.client import ApiException

        path = _path(found.version, found.plural, found.namespace) + f"/{found.name}"
        try:
            self._call(method, path, query, body)
        except ApiException as error:
            if error.status != 404:
                raise

    def _kinds(self) -> Iterator[tuple[str, str, str, bool]]:
        groups = self._call("GET", "/apis").get("groups", [])
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        for version in versions:
            for each in self._resources(version):
                listable = "list" in each["verbs"] and "delete" in each["verbs"]
                if listable and "/" not in each["name"] and each["name"] not in _NOT_OBJECTS:
                    yield version, each["kind"], each["name"], each["namespaced"]

    def _resources(self, version: str) -> list[dict[str, Any]]:
        from kubernetes.client import ApiException

        try:
            path = f"/api/{version}" if version == "v1" else f"/apis/{version}"
            return list(self._call("GET", path)["resources"])
        except ApiException as error:
            if error.status not in {404, 503}:  # an aggregated API whose server is down
                raise
            return []

    def _list(
        self, version: str, plural: str, query: dict[str, str], namespace: str = ""
    ) -> list[dict[str, Any]]:
        from kubernetes.client import ApiException

        try:
            return list(self._call("GET", _path(version, plural, namespace), query)["items"])
        except ApiException as error:
            if error.status in {403, 404, 405}:
                return []
            raise

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        answer = self.api.call_api(
            *self.api.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params=_JSON if body is None else {**_JSON, "Content-Type": _MERGE},
                body=body,
                auth_settings=["BearerToken"],
            ),
            _request_timeout=TIMEOUT,
        )
        answer.read()
        if answer.status == _BUSY:
            raise OperationFailed(
                "the cluster keeps refusing requests: too many at once",
                where=path,
                hint="run the same command again to continue",
            )
        if not 200 <= answer.status < 300:
            from kubernetes.client import ApiException

            raise ApiException(status=answer.status, reason=answer.reason)
        import json

        return dict(json.loads(answer.data))


def _path(version: str, plural: str, namespace: str) -> str:
    root = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def _found(version: str, kind: str, plural: str, item: dict[str, Any]) -> Found:
    meta = item["metadata"]
    in_spec = (item.get("spec") or {}).get("finalizers") if kind == "Namespace" else ()
    return Found(
        version=version,
        kind=kind,
        plural=plural,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        finalizers=(*(meta.get("finalizers") or ()), *(in_spec or ())),
        terminating="deletionTimestamp" in meta,
        owned=bool(meta.get("ownerReferences")),
        kept=(meta.get("annotations") or {}).get(_POLICY) == "keep",
    )


def _unusable(kubeconfig: str | None, reason: str) -> OperationFailed:
    return OperationFailed(
        f"the cluster cannot be reached: {reason}",
        where=kubeconfig or "the default kubeconfig",
        hint="bring it back, or, if it no longer exists: mlops-infra down --forget-unreachable",
    )
