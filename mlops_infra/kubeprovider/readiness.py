"""Is an object ready, and if not, what is in its way: its status, its Pods, what it refers to."""

from __future__ import annotations

from collections.abc import Callable

from mlops_infra.kube import pods as diagnosis
from mlops_infra.kube.claims import claim_verdict
from mlops_infra.kube.objects import Object, annotation
from mlops_infra.kube.reading import Reader
from mlops_infra.kube.rollout import RULES, observed
from mlops_infra.kube.verdict import Verdict, waiting
from mlops_infra.kube.workloads import PODS_OF, pod_troubles, refusals
from mlops_infra.kubeprovider.cluster import Cluster
from mlops_infra.kubeprovider.objects import is_true
from mlops_infra.kubeprovider.routes import ingress_verdict, service_verdict
from mlops_infra.kubeprovider.waitfor import ANNOTATION, evaluate, parse

SKIP = "pulumi.com/skipAwait"

Look = Callable[[Object], Verdict]


def look_for(cluster: Cluster, obj: Object) -> Look | None:
    """How to tell whether an object of this kind is ready; None where existing is enough.

    Raises:
        ProviderError: its annotation `pulumi.com/waitFor` is not understood.
    """
    if is_true(obj, SKIP):
        return None
    expression = annotation(obj, ANNOTATION)
    if expression:
        checks = parse(expression)
        return lambda live: evaluate(live, checks)
    key = (str(obj.get("apiVersion", "")).rpartition("/")[0], str(obj.get("kind", "")))
    special: dict[tuple[str, str], Callable[[Cluster, Object], Verdict]] = {
        ("", "PersistentVolumeClaim"): lambda c, live: claim_verdict(c.client, live),
        ("", "Service"): lambda c, live: service_verdict(
            c, live, lambda p: pod_troubles(c.client, p)
        ),
        ("networking.k8s.io", "Ingress"): ingress_verdict,
    }
    if key in special:
        return lambda live: special[key](cluster, live)
    rule = RULES.get(key)
    if rule is None:
        return None
    if key in PODS_OF:
        return lambda live: _workload(cluster, live, rule, PODS_OF[key])
    return rule


def _workload(
    cluster: Cluster,
    live: Object,
    rule: Callable[[Object], Verdict],
    pods_of: Callable[[Reader, Object], list[Object]],
) -> Verdict:
    verdict = rule(live)
    if (
        verdict.ready
        or not observed(live)
        or any(trouble.grace == 0 for trouble in verdict.troubles)
    ):
        return verdict
    pods = pods_of(cluster.client, live)
    found = [
        *pod_troubles(cluster.client, pods),
        *refusals(cluster.client, live, pods),
    ]
    detail = diagnosis.progress(pods)
    message = f"{verdict.message}; {detail}" if detail else verdict.message
    return waiting(message, *verdict.troubles, *found)
