"""`up` and `preview` of the aws profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_infra.aws import Cloud, Site
from mlops_infra.engine import aws_approved, aws_features, aws_live, locks, tools
from mlops_infra.engine.aws_graph import declare
from mlops_infra.engine.guard import Guarding, guarded_up
from mlops_infra.engine.prepare import Asked, prepare
from mlops_infra.engine.results import Outcome, Result
from mlops_infra.engine.runner import Engine
from mlops_infra.errors import FoundError, MissingError
from mlops_infra.progress import Sink, step

UNSEEN = (
    "not checked: existing resources of the account, quotas, instance types of the region, and "
    "the permissions of these credentials"
)


class AwsProfile:
    """A stack in an account of AWS, or on an emulator."""

    def __init__(self, want: Asked, site: Site, sink: Sink) -> None:
        self._want = want
        self._sink = sink
        self._cloud = Cloud(site)

    def bring_up(self, guarding: Guarding, *, break_lock: bool, refresh: bool) -> Outcome:
        """Deploy, add features in place, then ask AWS whether it runs what was asked for.

        Raises:
            MissingError: no credentials, or Pulumi's plug-in for AWS cannot be had.
            InputError: the credentials belong to another account, or a feature was to change its
                type.
            FoundError: an endpoint runs another configuration than the one asked for.
        """
        want, cloud, sink = self._want, self._cloud, self._sink
        if not break_lock:
            locks.clear(want.record.backend, want.stack, sink, break_lock=False)
        self._reach()
        lacking = aws_features.compared(cloud, aws_features.wanted(want))
        approved = aws_approved.told(want, cloud, sink)
        engine = prepare(want, sink, tools.ready_for_aws(sink), node=None, more=approved)
        guard = guarding(want, engine, sink)
        result = guarded_up(want, engine, guard, break_lock, refresh)
        aws_features.add_all(cloud, lacking, sink)
        compare(cloud, engine.exported()["deployment"].get("resources", ()), sink)
        more = aws_features.notes(lacking, done=True)
        return self._outcome(result, (*guard.allowed, *more))

    def preview(self, guarding: Guarding, *, refresh: bool) -> Outcome:
        """Compare; without credentials or plug-in, list what there would be.

        Raises:
            InputError: the credentials belong to another account, or a feature was to change its
                type.
        """
        want, cloud, sink = self._want, self._cloud, self._sink
        try:
            self._reach()
            found = tools.ready_for_aws(sink)
        except MissingError as missing:
            return _blind(want, missing, sink)
        lacking = aws_features.compared(cloud, aws_features.wanted(want))
        approved = aws_approved.told(want, cloud, sink)
        engine = prepare(want, sink, found, node=None, more=approved)
        result = engine.preview(refresh=refresh)
        losses = guarding(want, engine, sink).look(result)
        return self._outcome(result, (*losses, *aws_features.notes(lacking, done=False)))

    def engine_for_pulumi(self) -> Engine:
        """An engine whose environment serves plain `pulumi`."""
        found = tools.ready_for_aws(self._sink, tools.FOR_PLAIN_PULUMI)
        approved = aws_approved.told(self._want, self._cloud, self._sink)
        return prepare(self._want, self._sink, found, node=None, more=approved)

    def _reach(self) -> None:
        with step(self._sink, "Reaching AWS") as work:
            work.end("done", f"{self._cloud.identity()}, {self._cloud.site}")

    def _outcome(self, result: Result, more: tuple[str, ...]) -> Outcome:
        notes = (*(f"{each.path}: {each.message}" for each in self._want.plan.findings), *more)
        changes = tuple(change.as_dict() for change in result.changes)
        return Outcome(self._want.stack, changes, result.counts, result.outputs, notes)


def compare(cloud: Cloud, resources: Iterable[Mapping[str, Any]], sink: Sink) -> None:
    """Ask each endpoint of an exported state whether it runs its configuration.

    Raises:
        FoundError: one does not.
    """
    with step(sink, "Comparing endpoints with the configuration") as work:
        endpoints = aws_live.wanted(resources)
        wrong = aws_live.differences(cloud, endpoints)
        work.end("failed" if wrong else "done", f"{len(endpoints)} endpoints")
    if wrong:
        raise FoundError(
            "AWS does not run the requested configuration",
            wrong,
            where=str(cloud.site),
            hint="see the endpoint's events in CloudWatch; fix the model or its alarm, then up",
        )


def _blind(want: Asked, missing: MissingError, sink: Sink) -> Outcome:
    with step(sink, "Reading what the program declares", unit="resources") as work:
        found = declare(want.stack, want.file)
        work.end("done", f"{len(found)} resources")
    changes: Sequence[Mapping[str, object]] = [
        {"op": "declare", "kind": each.type.rpartition(":")[2], "name": each.name, "keys": []}
        for each in found
    ]
    kinds = Counter(each.type.split(":")[1].partition("/")[0] for each in found)
    services = ", ".join(f"{number} {name}" for name, number in sorted(kinds.items()))
    notes = (
        f"nothing was compared: {missing.what}",
        *([f"next: {missing.hint}"] if missing.hint else []),
        UNSEEN,
        f"by service: {services}",
    )
    counts = {"declared, not compared": len(found)}
    return Outcome(want.stack, tuple(changes), counts, dict(want.plan.outputs), notes)
