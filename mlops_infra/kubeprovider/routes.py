"""Services and Ingresses: ready when something answers behind them."""

from __future__ import annotations

from collections.abc import Callable

from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import Object, name_of, namespace_of
from mlops_infra.kubeprovider.verdict import READY, Trouble, Verdict, waiting

NO_PODS = "no-pods"
"""Key of the trouble of a Service that selects nothing: another object's failure explains it."""

_CLASS_GRACE = 20.0
_FOREVER = float("inf")


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
    pods = cluster.pods(space, selector)
    if pods:
        return waiting("no Pod behind it is ready yet", *troubles_of(pods))
    text = "no Pod matches its selector"
    return waiting(text, Trouble(NO_PODS, text, _FOREVER))


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
