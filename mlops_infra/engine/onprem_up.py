"""`up` and `preview` of the onprem profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_infra.cluster import EmbeddedCluster
from mlops_infra.cluster.node.preflight import all_simulated
from mlops_infra.engine import gathering, kept_claims, locks, reach, tools
from mlops_infra.engine.guard import Guarding, guarded_up
from mlops_infra.engine.prepare import Asked, prepare
from mlops_infra.engine.results import Outcome, Result
from mlops_infra.engine.runner import Engine
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.errors import InputError
from mlops_infra.kube import Cluster
from mlops_infra.plan.images.reality import ComponentPods, pods_of
from mlops_infra.progress import Sink, step


class OnPremProfile:
    """A stack on Kubernetes: an embedded cluster, or one of the user's own."""

    def __init__(self, want: Asked, sink: Sink) -> None:
        self._want = want
        self._sink = sink

    def bring_up(self, guarding: Guarding, *, break_lock: bool, refresh: bool) -> Outcome:
        """Gather what is needed, start the cluster, run the program."""
        want, sink = self._want, self._sink
        if want.record.cluster:
            want.record.write(StackDir.of(want.stack))  # from here on `down` has work to do
        if not break_lock:  # say so now, not after twenty minutes of compiling
            locks.clear(want.record.backend, want.stack, sink, break_lock=False)
        if not want.record.cluster:
            self._reach()
        found, node = gathering.gather(want, sink)
        engine = prepare(want, sink, found, node=node)
        record = engine.record
        kept_claims.make_again(Cluster.open(record.kubeconfig, record.context), want.plan, sink)
        guard = guarding(want, engine, sink)
        result = guarded_up(want, engine, guard, break_lock, refresh)
        return self._outcome(result, guard.allowed)

    def preview(self, guarding: Guarding, *, refresh: bool) -> Outcome:
        """Compare; starts no cluster.

        Raises:
            InputError: the embedded cluster of a deployed stack does not run.
        """
        want, sink = self._want, self._sink
        if want.record.cluster:
            phase = EmbeddedCluster(want.record.cluster).status().phase
            if phase == "absent":
                return self._everything()
            if phase == "stopped":
                raise InputError(
                    f"cluster {want.record.cluster} is stopped: nothing can be compared",
                    hint=f"mlops-infra cluster start {want.record.cluster}",
                )
            node: str | None = EmbeddedCluster(want.record.cluster).node_address
        else:
            self._reach()
            node = None
        engine = prepare(want, sink, tools.ready(sink), node=node)
        result = engine.preview(refresh=refresh)
        return self._outcome(result, guarding(want, engine, sink).look(result))

    def engine_for_pulumi(self) -> Engine:
        """An engine whose environment serves plain `pulumi`."""
        want, node = self._want, None
        found = tools.ready(self._sink, (*tools.NEEDED, *tools.FOR_PLAIN_PULUMI))
        if want.record.cluster:
            cluster = EmbeddedCluster(want.record.cluster)
            node = None if cluster.status().phase == "absent" else cluster.node_address
        return prepare(want, self._sink, found, node=node)

    def _reach(self) -> None:
        with step(self._sink, "Reaching the cluster") as work:
            work.end("done", f"Kubernetes {reach.check(self._want.record)}")

    def _outcome(self, result: Result, losses: Sequence[str]) -> Outcome:
        want, notes = self._want, list(losses)
        if want.record.cluster:
            notes += EmbeddedCluster(want.record.cluster).status().notes
        notes += [f"{each.path}: {each.message}" for each in want.plan.findings]
        notes += result.live.lines()
        changes = tuple(change.as_dict() for change in result.changes)
        return Outcome(
            want.stack, changes, result.counts, result.outputs, tuple(notes), self._pods()
        )

    def _pods(self) -> tuple[ComponentPods, ...]:
        """Of the cluster that runs, or of one that this machine would make."""
        want = self._want
        reason = None
        if want.record.cluster:
            known = EmbeddedCluster(want.record.cluster).status()
            reason = all_simulated(known.simulated or want.config.cluster.simulated)
        return pods_of(want.plan, reason)

    def _everything(self) -> Outcome:
        want = self._want
        changes: list[Mapping[str, object]] = [
            {"op": "create", "kind": "Component", "name": each.name, "keys": []}
            for each in want.plan.components
        ]
        note = (
            f"cluster {want.record.cluster} does not exist yet: `up` creates it with everything "
            "in it"
        )
        counts = {"create components": len(changes)}
        return Outcome(want.stack, tuple(changes), counts, {}, (note,), self._pods())
