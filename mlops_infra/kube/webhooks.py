"""Admission webhooks that stop deletions and changes because nobody answers behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mlops_infra.kube.cluster import MERGE, Cluster
from mlops_infra.kube.failures import ApiError, UnreachableError
from mlops_infra.kube.objects import Object, name_of
from mlops_infra.kube.reading import select
from mlops_infra.kube.selectors import matches
from mlops_infra.kube.survey import Found

KINDS = {
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"

_SCALED = frozenset({"deployments", "statefulsets", "replicasets", "cronjobs"})
_STOPPING = frozenset({"DELETE", "UPDATE", "*"})
_CALL_FAILED = re.compile(r'failed calling webhook "([^"]+)": (.*)', re.DOTALL)
_DENIED = re.compile(r'admission webhook "([^"]+)" denied the request: (.*)', re.DOTALL)
_PROBE_SECONDS = 12.0
"""An API server waits for a webhook for 10 s unless the webhook says otherwise."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook of a configuration."""

    kind: str
    """Of the configuration: one of `KINDS`."""
    configuration: str
    name: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    """Of the configuration."""

    @property
    def path(self) -> str:
        """API path of its configuration."""
        return f"{ADMISSION}/{KINDS[self.kind]}/{self.configuration}"

    @property
    def service(self) -> tuple[str, str] | None:
        """Namespace and name of the Service behind it; None where it is an address."""
        found = (self.spec.get("clientConfig") or {}).get("service")
        return (found["namespace"], found["name"]) if found else None

    def stops(self, obj: Found, namespace_labels: Mapping[str, Mapping[str, str]]) -> str:
        """The operation on `obj` that it must allow, `DELETE` before `UPDATE`; empty for none."""
        if self.spec.get("failurePolicy", "Fail") != "Fail" or obj.kind in KINDS:
            return ""
        selector = self.spec.get("namespaceSelector")
        space = obj.name if obj.kind == "Namespace" else obj.namespace
        if space and not matches(selector, namespace_labels.get(space, {})):
            return ""
        if not matches(self.spec.get("objectSelector"), dict(obj.labels)):
            return ""
        operations = {
            operation
            for rule in self.spec.get("rules") or ()
            if _covers(rule, obj)
            for operation in rule.get("operations") or ()
        }
        needed = ("DELETE", "UPDATE") if _is_changed_first(obj) else ("DELETE",)
        return next((each for each in needed if {each, "*"} & operations), "")


@dataclass(frozen=True, slots=True)
class Stopping:
    """A webhook that stops something, and why."""

    webhook: Webhook
    reason: str
    example: Found
    """One of the objects that it stops."""
    count: int
    """How many it stops."""


def read(cluster: Cluster) -> list[Webhook]:
    """Every webhook that is asked about deletions or changes and may fail them."""
    found: list[Webhook] = []
    for kind, plural in KINDS.items():
        for each in cluster.get(f"{ADMISSION}/{plural}")["items"]:
            found += _of_configuration(kind, each)
    return found


def stopping(
    cluster: Cluster,
    objects: Sequence[Found],
    namespace_labels: Mapping[str, Mapping[str, str]],
) -> list[Stopping]:
    """Webhooks that stop the deletion, or a change on the way to it, of any of `objects`.

    A webhook whose Service has no ready endpoint is told without asking; any other one that has a
    say is tried with a dry run of the deletion, which also shows certificates that do not fit and
    webhooks that refuse.
    """
    concerned = []
    for webhook in read(cluster):
        stopped = [(o, op) for o in objects if (op := webhook.stops(o, namespace_labels))]
        if stopped:
            concerned.append((webhook, stopped))
    with ThreadPoolExecutor(4) as pool:
        reasons = list(pool.map(lambda each: _reason(cluster, each[0], each[1][0]), concerned))
    return [
        Stopping(webhook, reason, stopped[0][0], len(stopped))
        for (webhook, stopped), reason in zip(concerned, reasons, strict=True)
        if reason
    ]


def _of_configuration(kind: str, configuration: Object) -> Iterator[Webhook]:
    labels = configuration["metadata"].get("labels") or {}
    for each in configuration.get("webhooks") or ():
        operations = {o for rule in each.get("rules") or () for o in rule.get("operations") or ()}
        if operations & _STOPPING:
            yield Webhook(kind, name_of(configuration), each["name"], each, labels)


def _is_changed_first(obj: Found) -> bool:
    """Whether something has to be changed before the object is gone: a finalizer, replicas."""
    return bool(obj.finalizers) or obj.plural in _SCALED


def _covers(rule: Mapping[str, Any], obj: Found) -> bool:
    group, _, version = obj.version.rpartition("/")
    scope = rule.get("scope", "*")
    wanted_scope = "Namespaced" if obj.namespace else "Cluster"
    # `deployments` covers the object, `deployments/scale` only a part of it
    resources = {each.removesuffix("/*") for each in rule.get("resources") or ()}
    return (
        _has(rule.get("apiGroups"), group)
        # another version of the same kind is covered too, unless matchPolicy is Exact
        and (scope in {"*", wanted_scope})
        and bool(resources & {obj.plural, "*"})
        and bool(version)
    )


def _has(values: Iterable[str] | None, value: str) -> bool:
    return bool({"*", value} & set(values or ()))


def _reason(cluster: Cluster, webhook: Webhook, stopped: tuple[Found, str]) -> str:
    """Why the webhook stops things; empty where it does not."""
    if webhook.service is not None and not webhook.spec.get("matchConditions"):
        namespace, name = webhook.service
        if cluster.find(f"/api/v1/namespaces/{namespace}/services/{name}") is None:
            return f"no server: Service {namespace}/{name} does not exist"
        if not _has_endpoint(cluster, namespace, name):
            return f"no server: Service {namespace}/{name} has no ready endpoint"
    return _probe(cluster, webhook, *stopped)


def _has_endpoint(cluster: Cluster, namespace: str, service: str) -> bool:
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = select(cluster, path, {"kubernetes.io/service-name": service})
    # absent means ready by the API's own definition
    return any(
        (point.get("conditions") or {}).get("ready") is not False and point.get("addresses")
        for each in slices
        for point in each.get("endpoints") or ()
    )


def _probe(cluster: Cluster, webhook: Webhook, obj: Found, operation: str) -> str:
    query = {"dryRun": "All"}
    try:
        if operation == "DELETE":
            cluster.send("DELETE", obj.path, query, seconds=_PROBE_SECONDS)
        else:
            cluster.send("PATCH", obj.path, query, body={}, content=MERGE, seconds=_PROBE_SECONDS)
    except ApiError as error:
        for pattern, word in ((_CALL_FAILED, "the call fails"), (_DENIED, "it refuses")):
            match = pattern.search(error.message)
            if match is not None and match[1] == webhook.name:
                return f"{word}: {match[2].strip()}"
        return ""  # something else refuses, or the object is gone: no word about this webhook
    except UnreachableError:
        return f"no answer within {_PROBE_SECONDS:.0f} s to a dry run that asks it"
    return ""
