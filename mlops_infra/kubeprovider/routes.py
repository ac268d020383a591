"""Services and Ingresses: ready when something answers behind them."""

from __future__ import annotations

import math
from collections.abc import Callable

from mlops_infra.kube.verdict import READY, Trouble, Verdict, waiting
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import Object, metadata, name_of, namespace_of

_CLASS_GRACE = 20.0
_BROKEN_GRACE = 20.0
"""In a rollout the Pods of the old revision are still there for a while."""
_BROKEN_AFTER_FAILURE = 2.0
_EMPTY_AFTER_FAILURE = 15.0


def service_verdict(
    cluster: Cluster, service: Object, troubles_of: Callable[[list[Object]], list[Trouble]]
) -> Verdict:
    """Has an endpoint, and an address if it is a LoadBalancer.

    Headless and selectorless Services and those of type ExternalName are not waited for.
    """
    spec = service.get("spec") or {}
    if spec.get("type") == "LoadBalancer" and not _addresses(service):
        return waiting("waiting for the load balancer's address")
    selector = spec.get("selector")
    if not selector or spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return READY
    space, name = namespace_of(service), name_of(service)
    slices = cluster.select(
        f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices",
        {"kubernetes.io/service-name": name},
    )
    if any(_is_ready(point) for part in slices for point in part.get("endpoints") or []):
        return READY
    pods = [p for p in cluster.pods(space, selector) if "deletionTimestamp" not in metadata(p)]
    if not pods:
        text = "no Pod matches its selector"
        return waiting(text, Trouble("empty", text, math.inf, after_failure=_EMPTY_AFTER_FAILURE))
    broken = [found[0] for found in (troubles_of([pod]) for pod in pods) if found]
    message = "no Pod behind it is ready yet"
    if len(broken) < len(pods):
        return waiting(message)
    worst = broken[0]
    grace = max(worst.grace, _BROKEN_GRACE)
    return waiting(
        message,
        Trouble("broken", worst.message, grace, worst.pod, after_failure=_BROKEN_AFTER_FAILURE),
    )


def ingress_verdict(cluster: Cluster, ingress: Object) -> Verdict:
    """A controller has given it an address."""
    if _addresses(ingress):
        return READY
    name = (ingress.get("spec") or {}).get("ingressClassName")
    classes = cluster.client.get("/apis/networking.k8s.io/v1/ingressclasses")["items"]
    known = [name_of(item) for item in classes]
    message = "no controller has given it an address yet"
    if name and name not in known:
        text = (
            f"IngressClass '{name}' does not exist (the cluster has: {', '.join(known) or 'none'})"
        )
        return waiting(message, Trouble("class", text, _CLASS_GRACE))
    return waiting(message)


def _addresses(obj: Object) -> list[object]:
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    return list(balancer.get("ingress") or [])


def _is_ready(endpoint: Object) -> bool:
    ready = (endpoint.get("conditions") or {}).get("ready")
    # absent means ready by the API's own definition
    return ready is not False and bool(endpoint.get("addresses"))
