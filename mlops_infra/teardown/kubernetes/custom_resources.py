"""Custom resources that people and controllers made: they go while their operators still run.

A custom resource with a finalizer goes only when its operator has cleaned up behind it. Once the
operator is gone nobody does, and the resource, its namespace and its definition hang for ever. So
`down` removes custom resources first, and where an operator is gone already it says so and takes
the finalizers off only with the user's consent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops_infra import contract
from mlops_infra.kube import Cluster, Kind, survey
from mlops_infra.kube.survey import Found
from mlops_infra.progress import step
from mlops_infra.teardown.kubernetes.access import delete
from mlops_infra.teardown.kubernetes.blockers import Blockers

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


OfKind = Callable[[Kind], bool]


def remove(blockers: Blockers, only: OfKind = lambda _kind: True) -> None:
    """Delete every custom resource in the stack's namespaces and wait until it is gone.

    Those of tenants go first: what cleans up behind them may need a store that is a custom resource
    itself, as Katib takes a trial's metrics out of the database.

    Args:
        blockers: the namespaces.
        only: kinds that go; all by default.

    Raises:
        FoundError: operators do not finish, and there is no consent; all that holds is among the
            findings, and nothing else was removed.
    """
    tenant = contract.tenant_namespace("")
    tenants = [each for each in blockers.namespaces if each.startswith(tenant)]
    for spaces, whose in ((tenants, "tenants"), (blockers.namespaces, "the platform's operators")):
        _remove(blockers, spaces, f"Removing custom resources of {whose}", only)


def _remove(blockers: Blockers, spaces: Sequence[str], title: str, only: OfKind) -> None:
    found = inside(blockers.cluster, spaces, only) if spaces else ()
    if not found:
        return
    with step(blockers.sink, title, total=len(found), unit="objects") as work:
        for each in found:
            delete(blockers.cluster, each.path)
        left = blockers.wait(lambda: _still_there(blockers, spaces, only), work)
        if left:
            blockers.refuse()
            for each in left:
                blockers.drop(each, work)
            left = blockers.wait(lambda: _still_there(blockers, spaces, only), work)
        if left:
            raise blockers.error(blockers.look())
        work.end("done", f"{len(found)} removed")


def _still_there(blockers: Blockers, spaces: Sequence[str], only: OfKind) -> Sequence[Found]:
    left = inside(blockers.cluster, spaces, only)
    # new ones may appear while their parents go: a workflow's results for example
    for each in left:
        if not each.terminating and not each.owned:
            delete(blockers.cluster, each.path)
    return left


def inside(
    cluster: Cluster, namespaces: Sequence[str], only: OfKind = lambda _kind: True
) -> Sequence[Found]:
    """Every custom resource in `namespaces`, of whatever definition and version."""
    return survey.inside(cluster, namespaces, only=_custom(cluster, only)).objects


def everywhere(cluster: Cluster, only: OfKind) -> Sequence[Found]:
    """Every custom resource of some kinds in the whole cluster."""
    return survey.everywhere(cluster, _custom(cluster, only)).objects


def _custom(cluster: Cluster, only: OfKind) -> OfKind:
    defined = {each["metadata"]["name"] for each in cluster.get(_DEFINITIONS)["items"]}
    return lambda kind: f"{kind.plural}.{kind.group}" in defined and only(kind)
