"""Everything that keeps things from being deleted, as data.

for holder in holders(cluster, ["mlops"]):
    print(holder)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mlops_infra.kube import survey, webhooks
from mlops_infra.kube.cluster import Cluster
from mlops_infra.kube.kinds import Kind
from mlops_infra.kube.objects import Object, condition, holds, metadata, name_of
from mlops_infra.kube.survey import Found

What = Literal["finalizer", "webhook", "apiservice", "namespace", "unreadable", "pod"]

API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
_API_SERVICE = Kind(
    "apiregistration.k8s.io/v1", "APIService", "apiservices", False, frozenset({"get"})
)
_NAMESPACE = Kind("v1", "Namespace", "namespaces", False, frozenset({"get"}))
_DEFINITION = "CustomResourceDefinition"
_USUAL_SECONDS = 20.0
"""How long what the cluster's own controllers hold may take before it is told."""
_CONDITIONS = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
)
_BY_GARBAGE_COLLECTOR = frozenset({"foregroundDeletion", "orphan"})
_OWN = frozenset(
    {
        "foregroundDeletion",
        "orphan",
        "kubernetes",
        "customresourcecleanup.apiextensions.k8s.io",
    }
)
"""And those of volumes' drivers: `external-attacher/ebs-csi-aws-com`."""
_ADVICE = {
    "kubernetes.io/pvc-protection": "end the Pods that use it",
    "kubernetes.io/pv-protection": "delete the claim that uses it",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """One thing that holds deletions up."""

    what: What
    """`finalizer`: on `object`, of whatever kind. `webhook`: `object` is the configuration.
    `apiservice`: `object` has no server. `namespace`: `object` is Terminating and says why.
    `unreadable`: objects of this kind cannot be listed, so a namespace with them does not go.
    `pod`: its node is away."""
    object: Found
    reason: str
    """What holds, in a few words: `finalizer example.com/protect`."""
    action: str
    """What to do about it, for a person."""
    certain: bool
    """Whether it holds something right now; a finalizer on an object that nobody has asked to go
    yet may still be taken off by its controller."""
    seconds: float = 0.0
    """Since the deletion of `object` was asked for; 0 where it was not."""
    names: tuple[str, ...] = ()
    """The finalizers, or the webhooks of the configuration."""

    def __str__(self) -> str:
        waited = f", for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.object.title}: {self.reason}{waited}"


def holders(cluster: Cluster, namespaces: Sequence[str], *, selector: str = "") -> list[Holder]:
    """Everything that holds, or will hold, the deletion of `namespaces` and of all in them.

    One look of some 100 small requests, eight at a time, each with a time limit.

    Args:
        cluster: the cluster.
        namespaces: their names; those that are not there hold nothing.
        selector: label selector of what counts beside them, outside of any namespace.

    Returns:
        What holds for certain first; of that, webhooks and API services first, since nothing
        below them can be cleared up before they are.

    Raises:
        ApiError: the cluster refuses to tell what there is.
        UnreachableError: it does not answer.
    """
    here = [
        space
        for name in namespaces
        if (space := cluster.find(f"/api/v1/namespaces/{name}")) is not None
    ]
    seen = survey.inside(cluster, [name_of(each) for each in here])
    spaces = [survey.found(_NAMESPACE, each) for each in here]
    others = _outside(cluster, selector)
    aggregated, dead = _api_services(cluster)
    concerned = [
        each
        for each in (*spaces, *seen.objects, *others)
        if each.version.rpartition("/")[0] not in aggregated
    ]
    found = [
        *(dead if here else ()),
        *_webhooks(cluster, concerned, here),
        *_unreadable(cluster, seen, dead),
        *(_of_namespace(each) for each in here if "deletionTimestamp" in metadata(each)),
        *_finalizers((*seen.objects, *others)),
    ]
    return sorted(found, key=lambda holder: not holder.certain)


def holders_of(
    cluster: Cluster, version: str, kind: str, name: str, namespace: str = ""
) -> list[Holder]:
    """Everything that holds the deletion of one object.

    Args:
        cluster: the cluster.
        version: its `apiVersion`.
        kind: its `kind`; of a Namespace, and of the definition of a custom resource, what is
            inside counts too.
        name: its name.
        namespace: its namespace; empty for none.

    Returns:
        Like `holders`; empty where the object, or its kind, is gone.

    Raises:
        ApiError, UnreachableError: like `holders`.
    """
    if kind == "Namespace":
        return holders(cluster, [name])
    served = next((k for k in cluster.kinds() if (k.version, k.name) == (version, kind)), None)
    live = cluster.find(served.path(namespace, name)) if served is not None else None
    if served is None or live is None:
        return []
    target = survey.found(served, live)
    below = _instances(cluster, live) if kind == _DEFINITION else []
    if namespace and "foregroundDeletion" in target.finalizers:
        inside = survey.inside(cluster, [namespace]).objects
        below = [each for each in inside if target.uid in each.owners]
    space = cluster.find(f"/api/v1/namespaces/{namespace}") if namespace else None
    concerned = [target, *below]
    found = [
        *_webhooks(cluster, concerned, [space] if space is not None else []),
        *_finalizers(concerned),
    ]
    return sorted(found, key=lambda holder: not holder.certain)


def _outside(cluster: Cluster, selector: str) -> list[Found]:
    if not selector:
        return []
    seen = survey.labelled(cluster, selector)
    return [each for each in seen.objects if not each.namespace and each.kind != "Namespace"]


def _instances(cluster: Cluster, definition: Object) -> list[Found]:
    """The custom resources of a definition, as long as a version of them is served."""
    spec = definition["spec"]
    for each in spec["versions"]:
        if each["served"]:
            kind = Kind(
                f"{spec['group']}/{each['name']}",
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec["scope"] == "Namespaced",
                frozenset(),
            )
            answer = cluster.find(kind.path())
            return [survey.found(kind, item) for item in (answer or {}).get("items") or ()]
    return []


def _api_services(cluster: Cluster) -> tuple[frozenset[str], list[Holder]]:
    """Groups that other servers answer for, and those of them that nobody answers for."""
    aggregated, dead = set(), []
    for each in cluster.get(API_SERVICES)["items"]:
        service = (each.get("spec") or {}).get("service")
        if not service:
            continue
        aggregated.add(each["spec"].get("group", ""))
        if not holds(each, "Available"):
            said = condition(each, "Available")
            why = said.get("message") or said.get("reason") or "not available"
            dead.append(
                Holder(
                    "apiservice",
                    survey.found(_API_SERVICE, each),
                    f"no server answers for it, so no namespace can be deleted: {why}",
                    f"bring Service {service['namespace']}/{service['name']} back, or remove it: "
                    f"kubectl delete apiservice {name_of(each)}",
                    certain=True,
                )
            )
    return frozenset(aggregated), dead


def _webhooks(
    cluster: Cluster, objects: Sequence[Found], spaces: Iterable[Object]
) -> Iterator[Holder]:
    labels = {name_of(each): metadata(each).get("labels") or {} for each in spaces}
    by_configuration: dict[str, Holder] = {}
    for each in webhooks.stopping(cluster, objects, labels):
        webhook = each.webhook
        known = by_configuration.get(webhook.path)
        if known is not None:
            by_configuration[webhook.path] = replace(known, names=(*known.names, webhook.name))
            continue
        more = f" and {each.count - 1} more" if each.count > 1 else ""
        service = webhook.service
        back = f"bring Service {'/'.join(service)} back" if service else "bring its server back"
        by_configuration[webhook.path] = Holder(
            "webhook",
            Found(
                version="admissionregistration.k8s.io/v1",
                kind=webhook.kind,
                plural=webhooks.KINDS[webhook.kind],
                namespace="",
                name=webhook.configuration,
                labels=tuple(webhook.labels.items()),
            ),
            f"it stops {each.example.title}{more}; {each.reason}",
            f"{back}, or remove it: kubectl delete {webhook.kind.lower()} {webhook.configuration}",
            certain=True,
            names=(webhook.name,),
        )
    yield from by_configuration.values()


def _unreadable(cluster: Cluster, seen: survey.Survey, dead: Sequence[Holder]) -> Iterator[Holder]:
    """Kinds that cannot be listed: mostly a conversion webhook that nobody answers."""
    silent = {holder.object.name for holder in dead}
    definitions = Kind(
        "apiextensions.k8s.io/v1", _DEFINITION, "customresourcedefinitions", False, frozenset()
    )
    for kind, why in seen.unreadable:
        _, _, version = kind.version.rpartition("/")
        if f"{version}.{kind.group}" in silent:
            continue
        name = f"{kind.plural}.{kind.group}"
        live = cluster.find(definitions.path(name=name)) if kind.group else None
        if live is None:
            continue  # a group of another server, told of as such
        yield Holder(
            "unreadable",
            survey.found(definitions, live),
            f"its objects cannot be read, so no namespace can be deleted: {why}",
            f"bring its conversion webhook back, or see: kubectl describe crd {name}",
            certain=True,
        )


def _of_namespace(space: Object) -> Holder:
    found = survey.found(_NAMESPACE, space)
    said = [condition(space, kind) for kind in _CONDITIONS]
    reasons = [str(c.get("message", "")) for c in said if c.get("status") == "True"]
    return Holder(
        "namespace",
        found,
        f"Terminating: {' '.join(reasons) or 'its content is being deleted'}",
        f"kubectl get namespace {found.name} -o yaml",
        certain=bool(reasons),
        seconds=found.age_of_deletion(),
    )


def _finalizers(objects: Iterable[Found]) -> Iterator[Holder]:
    for each in objects:
        own = tuple(f for f in each.finalizers if not is_clusters_own(f))
        seconds = each.age_of_deletion()
        names = own
        if not own and seconds > _USUAL_SECONDS:
            names = tuple(f for f in each.finalizers if f not in _BY_GARBAGE_COLLECTOR)
        if each.kind == "Pod" and not each.finalizers and seconds > _USUAL_SECONDS:
            yield _lost_pod(each, seconds)
        if not names:
            continue
        word = "finalizer" if len(names) == 1 else "finalizers"
        yield Holder(
            "finalizer",
            each,
            f"{word} {', '.join(names)}" + ("" if each.terminating else " (not deleted yet)"),
            _ADVICE.get(names[0], _finalizer_advice(each)),
            certain=each.terminating,
            seconds=seconds,
            names=names,
        )


def _lost_pod(pod: Found, seconds: float) -> Holder:
    return Holder(
        "pod",
        pod,
        "its node does not confirm its end",
        "bring the node back, or, if it no longer exists: "
        f"kubectl -n {pod.namespace} delete pod {pod.name} --force --grace-period=0",
        certain=True,
        seconds=seconds,
    )


def is_clusters_own(finalizer: str) -> bool:
    """Whether Kubernetes' own controllers take this finalizer off."""
    domain = finalizer.partition("/")[0]
    known = finalizer in _OWN or domain.startswith("external-")
    return known or f".{domain}".endswith((".kubernetes.io", ".k8s.io"))


def _finalizer_advice(obj: Found) -> str:
    space = f"-n {obj.namespace} " if obj.namespace else ""
    patch = '{"metadata":{"finalizers":null}}'
    return (
        "bring back the controller that removes it, or, if it no longer exists: "
        f"kubectl {space}patch {obj.kind.lower()} {obj.name} --type=merge -p '{patch}'"
    )
