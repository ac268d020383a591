"""Custom resources that people and controllers made: they go while their operators still run.

A custom resource with a finalizer goes only when its operator has cleaned up behind it. Once the
operator is gone nobody does, and the resource, its namespace and its definition hang for ever. So
`down` removes custom resources first, and where an operator is gone already it says so and takes
the finalizers off only with the user's consent.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from mlops_infra.errors import FoundError
from mlops_infra.progress import Sink, Step, step
from mlops_infra.teardown.cluster_access import ClusterAccess, Found

PATIENCE = 120.0
"""Seconds for operators to clean up behind everything they were asked to."""

_PERIOD = 1.0


def remove(
    access: ClusterAccess,
    stack: str,
    namespaces: Sequence[str],
    sink: Sink,
    *,
    remove_finalizers: bool,
    patience: float = PATIENCE,
) -> None:
    """Delete every custom resource in the stack's namespaces and wait until it is gone.

    Args:
        access: the cluster.
        stack: its webhooks are taken away before finalizers are: with nobody behind them they
            would refuse that change.
        namespaces: those that the stack made; nothing outside of them is touched.
        sink: progress.
        remove_finalizers: consent to drop what an operator would still have cleaned up.
        patience: seconds to wait for the operators.

    Raises:
        FoundError: operators do not finish, and there is no consent; each object is among the
            findings with what holds it, and nothing else was removed.
    """
    found = access.custom(namespaces)
    if not found:
        return
    title = "Removing what was made through the platform's operators"
    with step(sink, title, total=len(found), unit="objects") as work:
        for each in found:
            access.delete(each)
        left = _wait(access, namespaces, patience, work)
        if left and remove_finalizers:
            access.delete_webhooks(stack)
            for each in left:
                work.note(f"taking the finalizers off {each}")
                access.drop_finalizers(each)
            left = _wait(access, namespaces, patience, work)
        if left:
            raise _held(stack, left, consented=remove_finalizers)
        work.end("done", f"{len(found)} removed")


def _wait(
    access: ClusterAccess,
    namespaces: Sequence[str],
    patience: float,
    work: Step,
) -> list[Found]:
    ends = time.monotonic() + patience
    while True:
        left = access.custom(namespaces)
        # new ones may appear while their parents go: a workflow's results for example
        for each in left:
            if not each.terminating and not each.owned:
                access.delete(each)
        work.advance(max((work.total or 0) - len(left) - work.done, 0))
        if not left or time.monotonic() > ends:
            return left
        time.sleep(_PERIOD)


def _held(stack: str, left: Sequence[Found], *, consented: bool) -> FoundError:
    hint = (
        f"see who holds them: kubectl -n {left[0].namespace} get {left[0].plural} -o yaml"
        if consented
        else "bring their operator back (mlops-infra up), or, if it is gone for good and what it "
        f"would clean up does not matter: mlops-infra down -s {stack} --remove-finalizers"
    )
    return FoundError(
        f"{len(left)} custom resources do not go, since their operator does not let go of them",
        [str(each) for each in left],
        where=f"stack {stack}; nothing else was removed",
        hint=hint,
    )
