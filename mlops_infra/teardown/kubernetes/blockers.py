"""What holds a teardown up: all of it named within a minute, taken out of the way with consent.

A webhook that nobody answers refuses every deletion, an API service without a server keeps every
namespace, a finalizer without its controller keeps the object and its namespace for ever. None of
that goes away by waiting, so it is looked for before anything is removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mlops_infra import contract
from mlops_infra.errors import FoundError
from mlops_infra.kube import ApiError, Cluster, Holder, holders, survey
from mlops_infra.kube.holders import is_clusters_own
from mlops_infra.kube.survey import Found
from mlops_infra.progress import Sink, Step, step
from mlops_infra.teardown.kubernetes import set_aside
from mlops_infra.teardown.kubernetes.access import delete, drop_finalizers
from mlops_infra.teardown.kubernetes.leftovers import is_kept

OPTION = "--remove-blockers"
RECOVERY = 20.0
"""Seconds for a server that is just being restarted to answer again."""
PATIENCE = 40.0
"""Seconds without any change after which nobody is taken to be cleaning up."""

_PERIOD = 1.0
_JUST_ASKED = 2.0
"""Seconds that controllers have in any case."""
_LOST_SECONDS = 20.0
"""How long after its grace period a Pod is taken to be on a node that is gone."""
_NOT_REMOVED = frozenset({"Namespace", "PersistentVolume"})
"""Kinds that are taken care of elsewhere: a volume may be one that is kept."""
_NEEDS_CLEARING = frozenset({"apiservice", "unreadable", "namespace"})


@dataclass(slots=True)
class Blockers:
    """The stack's part of a cluster, and what was taken out of its way."""

    cluster: Cluster
    stack: str
    namespaces: Sequence[str]
    """Those that the stack made; nothing inside of others is touched."""
    sink: Sink
    remove: bool
    """Consent to take things out of the way."""
    patience: float = PATIENCE
    recovery: float = RECOVERY
    removed: list[str] = field(default_factory=list)
    """What was taken out of the way, one line each."""

    def look(self) -> list[Holder]:
        """Everything that holds, or will hold, the stack's namespaces and objects."""
        selector = f"{contract.STACK_LABEL}={self.stack}"
        return holders(self.cluster, self.namespaces, selector=selector)

    def outside(self) -> list[Found]:
        """The stack's objects outside of any namespace, but those that may have to stay."""
        found = survey.labelled(self.cluster, f"{contract.STACK_LABEL}={self.stack}").objects
        return [
            each
            for each in found
            if not each.namespace and each.kind not in _NOT_REMOVED and not is_kept(each)
        ]

    def check(self) -> bool:
        """Before anything is removed: whether namespaces will not go, or are on their way.

        Raises:
            FoundError: something answers nobody, and there is no consent.
        """
        with step(self.sink, "Looking for what holds deletions") as work:
            found = self.look()
            ends = time.monotonic() + self.recovery
            while _dead(found) and time.monotonic() < ends:
                work.note(f"waiting for an answer: {_dead(found)[0].object.title}")
                time.sleep(_PERIOD)
                found = self.look()
            if _dead(found):
                self.refuse(found)
            self.announce(found, work)
            for each in found:
                if each.what in {"webhook", "unreadable"}:
                    self.take(each, work)
            certain = sum(1 for each in found if each.certain)
            work.end("done", f"{certain} found" if certain else "nothing")
        return any(each.what in _NEEDS_CLEARING for each in found)

    def refuse(self, found: Sequence[Holder] | None = None) -> None:
        """Name all that holds, unless there is consent to take it out of the way."""
        if not self.remove:
            raise self.error(self.look() if found is None else found)

    def error(self, found: Sequence[Holder]) -> FoundError:
        """All that holds, and the next step."""
        hint = (
            "; ".join(dict.fromkeys(each.action for each in found if each.certain)) or "see above"
        )
        if not self.remove:
            hint = (
                f"bring back what is missing (mlops-infra up -s {self.stack} for the platform's "
                "own parts), or, if it no longer exists and what it would clean up does not "
                f"matter: mlops-infra down -s {self.stack} {OPTION}"
            )
        return FoundError(
            f"{len(found)} objects hold the deletion of stack {self.stack}",
            [f"{each} ({each.action})" for each in found],
            where=f"namespaces {', '.join(self.namespaces) or '(none)'}",
            hint=hint,
        )

    def announce(self, found: Iterable[Holder], work: Step) -> None:
        """Say what will be taken out of the way, before it is."""
        if self.remove:
            for each in found:
                work.note(f"in the way: {each}")

    def take(self, holder: Holder, work: Step) -> None:
        """Take one webhook or definition out of the way: ours goes, another's is set aside."""
        found = holder.object
        if dict(found.labels).get(contract.STACK_LABEL) == self.stack and holder.what == "webhook":
            delete(self.cluster, found.path)
            said = f"removed {found.title}"
        else:
            set_aside.take(self.cluster, holder)
            said = f"disabled temporarily: {found.title}"
        work.note(said)
        self.removed.append(said)

    def drop(self, found: Found, work: Step) -> None:
        """Take the finalizers of others off an object; a Pod that its node has lost is let go."""
        names = tuple(each for each in found.finalizers if not is_clusters_own(each))
        if names:
            drop_finalizers(self.cluster, found, names)
            said = f"took {', '.join(names)} off {found.title}"
        elif found.kind == "Pod":
            delete(self.cluster, found.path, grace=0)
            said = f"released: {found.title}"
        else:
            return
        work.note(said)
        self.removed.append(said)

    def wait(self, look: Callable[[], Sequence[Found]], work: Step) -> Sequence[Found]:
        """Wait until `look` finds nothing, or nothing has changed for the patience; what is left.

        Pods that are still ending count as a change to come: their owners wait for them.
        """
        seen: object = None
        ends = time.monotonic() + self.patience
        while True:
            left = look()
            now = (frozenset(each.uid for each in left), self._ending_pods())
            if now != seen:
                seen, ends = now, time.monotonic() + self.patience
            work.advance(max((work.total or 0) - len(left) - work.done, 0))
            if not left or time.monotonic() > ends:
                return left
            time.sleep(_PERIOD)

    def _ending_pods(self) -> frozenset[str]:
        pods = survey.inside(self.cluster, self.namespaces, only=lambda k: k.plural == "pods")
        return frozenset(each.uid for each in pods.objects if each.terminating)


def remove_held(blockers: Blockers) -> None:
    """Delete what carries others' finalizers, of any kind, and see it go.

    Such objects hold their namespace, so they go before it, one by one and by name.

    Raises:
        FoundError: they do not go, and there is no consent.
    """
    with step(blockers.sink, "Removing objects that something else holds", unit="objects") as work:

        def held() -> list[Found]:
            inside = survey.inside(blockers.cluster, blockers.namespaces).objects
            return [each for each in (*inside, *blockers.outside()) if _is_held(each)]

        found = held()
        for each in found:
            if not each.terminating:
                delete(blockers.cluster, each.path)
        left = blockers.wait(held, work) if found else []
        if left:
            blockers.refuse()
            for each in left:
                blockers.drop(each, work)
            left = blockers.wait(held, work)
        if left:
            raise blockers.error(blockers.look())
        work.end("done" if found else "unchanged", f"{len(found)} removed" if found else "none")


def clear_namespaces(blockers: Blockers) -> None:
    """Remove the stack's namespaces object by object, where the cluster itself cannot.

    Without consent: see those go that somebody has deleted already.

    An API service without a server keeps Kubernetes from finding out whether a namespace is empty.
    Here it is emptied of all that can be read, and then declared so.

    Raises:
        FoundError: something in them does not go.
    """
    cluster = blockers.cluster
    if not blockers.remove:
        _see_them_go(blockers)
        return
    with step(blockers.sink, "Clearing namespaces", total=len(blockers.namespaces)) as work:
        for name in blockers.namespaces:
            delete(cluster, f"/api/v1/namespaces/{name}")
        if blockers.wait(lambda: _clear(blockers, work), work):
            raise blockers.error(blockers.look())
        work.end("done", f"{len(blockers.namespaces)} cleared")


def _clear(blockers: Blockers, work: Step) -> list[Found]:
    """Go through the namespaces once; the namespaces that are left, and all in them."""
    cluster = blockers.cluster
    spaces = _spaces(cluster, blockers.namespaces)
    if not spaces:
        return []
    inside = survey.inside(cluster, [each.name for each in spaces]).objects
    for each in inside:
        if not each.terminating:
            _delete_tolerantly(cluster, each)
        elif each.age_of_deletion() > _JUST_ASKED:
            blockers.drop(each, work)
    for space in spaces:
        if not any(each.namespace == space.name for each in inside):
            _declare_empty(cluster, space.name)
    return [*spaces, *inside]


def _see_them_go(blockers: Blockers) -> None:
    cluster = blockers.cluster

    def content() -> list[Found]:
        asked = [each for each in _spaces(cluster, blockers.namespaces) if each.terminating]
        inside = survey.inside(cluster, [each.name for each in asked]) if asked else None
        return [*asked, *(inside.objects if inside else ())]

    with step(blockers.sink, "Waiting for namespaces that are being deleted") as work:
        if blockers.wait(content, work):
            raise blockers.error(blockers.look())
        work.end("done")


def _is_held(found: Found) -> bool:
    if found.kind == "Pod" and not found.finalizers:
        return found.age_of_deletion() > _LOST_SECONDS
    return any(not is_clusters_own(each) for each in found.finalizers)


def _dead(found: Iterable[Holder]) -> list[Holder]:
    return [each for each in found if each.what in {"webhook", "apiservice", "unreadable"}]


def _spaces(cluster: Cluster, namespaces: Iterable[str]) -> list[Found]:
    kind = next(each for each in cluster.kinds() if (each.group, each.name) == ("", "Namespace"))
    live = (cluster.find(kind.path(name=name)) for name in namespaces)
    return [survey.found(kind, each) for each in live if each is not None]


def _delete_tolerantly(cluster: Cluster, found: Found) -> None:
    try:
        delete(cluster, found.path)
    except ApiError as error:
        # kinds that are read but not removed one by one: those of other API servers
        if error.status not in {405, 409, 503}:
            raise


def _declare_empty(cluster: Cluster, name: str) -> None:
    """What Kubernetes does itself once it has found a namespace empty."""
    path = f"/api/v1/namespaces/{name}"
    space = cluster.find(path)
    if space is None or "deletionTimestamp" not in space["metadata"]:
        return
    space["spec"]["finalizers"] = []
    try:
        cluster.send("PUT", f"{path}/finalize", body=space)
    except ApiError as error:
        if error.status not in {404, 409}:  # gone, or changed meanwhile: the next look tells
            raise
