"""One stack under the real Pulumi engine, through the Automation API with our inline program."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from pulumi.automation import LocalWorkspace, Stack, errors

from mlops_infra import places
from mlops_infra.components.secret_values import redacted
from mlops_infra.engine import explain, keeping, live_objects, locks, mending, pending
from mlops_infra.engine.environment import applied, writable
from mlops_infra.engine.events import Collector, Record
from mlops_infra.engine.process import OwnedPulumi
from mlops_infra.engine.protection import refuse_losses
from mlops_infra.engine.record import StackRecord
from mlops_infra.engine.results import Result, promised
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.tools import Tools
from mlops_infra.engine.waiting import Verdict, Waiting
from mlops_infra.errors import InputError, MlopsError, OperationFailed
from mlops_infra.kube import Cluster
from mlops_infra.naming import field_manager
from mlops_infra.progress import Sink, Step, step

_FORCE = "PULUMI_K8S_ENABLE_PATCH_FORCE"
"""Lets the provider take fields over from other field managers. It is a variable of one run: no
state keeps it."""


class Engine:
    """Runs one stack; everything it needs is handed in."""

    def __init__(
        self,
        stack: str,
        sink: Sink,
        *,
        stack_dir: StackDir,
        record: StackRecord,
        tools: Tools,
        environment: Mapping[str, str],
        program: Callable[[], None] | None = None,
    ) -> None:
        self.stack = stack
        self.stack_dir = stack_dir
        self.record = record
        self._sink = sink
        self.environment = environment
        self._program = program
        self._raised: BaseException | None = None
        self._command = OwnedPulumi(tools.pulumi, tools.version, sink)

    def preview(self) -> Result:
        """Compare the program with the state and the cluster; changes nothing.

        Raises:
            MlopsError: the program or the cluster refuses.
        """
        with applied(self.environment), applied(self._takes_over(unsure=False)):
            return self._preview(self._open(), None)

    def up(
        self, allow_replace: Sequence[str], *, break_lock: bool = False, whole: str = ""
    ) -> Result:
        """Bring the stack to what the program says; nothing is run where nothing differs.

        Args:
            allow_replace: stateful things that may be lost.
            break_lock: take the stack from whoever holds it.
            whole: digest of all that is asked for. A preview that shows no change ends the run
                only if the last one that ended well had the same.

        Raises:
            InputError: it would lose something stateful that `allow_replace` does not name.
            StackLocked: another run holds the stack.
            OperationFailed: with one cause and one next step.
            Interrupted: on Ctrl-C; what was done is recorded.
        """
        locks.clear(self.record.backend, self.stack, self._sink, break_lock=break_lock)
        mended = mending.mend(self.record.backend, self.stack, self._sink)
        with applied(self.environment):
            stack = self._open()
            half_done = self._clear_pending()
            unsure = bool(half_done) or mended
            self._forget_vanished(stack, half_done)
            with applied(self._takes_over(unsure=unsure)):
                planned = self._preview(stack, allow_replace)
                if not planned.changed and not unsure and whole == self.stack_dir.applied:
                    return planned
                if self._open_cluster is not None:
                    live_objects.refuse_foreign(
                        self._open_cluster(), planned.changes, field_manager(self.stack)
                    )
                self.stack_dir.applied = ""
                done = self._up(stack, planned)
            self.stack_dir.applied = whole
            return done

    def _forget_vanished(self, stack: Stack, half_done: Collection[str]) -> None:
        """Let the state know of objects that somebody has deleted, so that they are made again.

        Args:
            stack: opened.
            half_done: URNs of what a killed run was about; it may have deleted them itself.

        Raises:
            InputError: the cluster has nothing of this stack.
        """
        resources = self._resources() if self._open_cluster else ()
        if not resources or self._open_cluster is None:
            return
        with step(self._sink, "Looking for what the state knows", unit="objects") as work:
            known, gone = live_objects.vanished(self._open_cluster(), resources)
            if known == len(gone) and not set(gone) <= set(half_done):
                raise InputError(
                    f"the cluster has nothing of this stack, and the state knows {known} objects",
                    hint=f"check cluster.kubeconfig and cluster.context; if the cluster was made "
                    f"anew: mlops-infra down -s {self.stack}, then up",
                )
            work.end("done", f"{known}, {len(gone)} of them gone" if gone else f"all {known}")
        if gone:
            with step(self._sink, "Recording what is gone", unit="objects") as work:
                self._collect(work, lambda on: stack.refresh(target=gone, on_event=on))

    def _takes_over(self, *, unsure: bool) -> dict[str, str]:
        """Permission for this run to take fields over, where they were written by another manager.

        That is where a killed run may have written more than its state says, and where an earlier
        release has deployed with field managers of its own.
        """
        others = live_objects.managers(self._resources()) - {field_manager(self.stack)}
        return {_FORCE: "true"} if self._open_cluster and (unsure or others) else {}

    def _resources(self) -> Sequence[Mapping[str, Any]]:
        """The resources of the state, its secrets still encrypted; none without a state."""
        file = locks.state_file(self.record.backend, self.stack)
        if file is not None:
            return pending.resources(file)
        return list(self._exported()["deployment"].get("resources") or ())

    def destroy(
        self, *, ignore_protect: bool = False, keep: Collection[str] | None = None
    ) -> Result:
        """Take every resource away, from the state alone, what depends on others first.

        Args:
            ignore_protect: what the configuration protects goes too.
            keep: URNs of exactly what stays; None: what is protected makes the destroy fail.
        """
        with applied(self.environment):
            stack = self._open()
            self._clear_pending()
            if ignore_protect:
                self._run(["state", "unprotect", "--all", "--yes", "--stack", self.stack])
            if keep is not None:
                stack.import_stack(keeping.only(stack.export_stack(), keep))
            with step(self._sink, "Removing the platform", unit="resources") as work:
                spare = bool(keep)
                run = lambda on: stack.destroy(  # noqa: E731 - one call with the collector put in
                    on_event=on, show_secrets=False, exclude_protected=spare
                )
                return Result.of(self._collect(work, run, watched=True))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs as the state has them."""
        with applied(self.environment):
            self._open()
            found = json.loads(self._run(["stack", "output", "--json", "-s", self.stack]))
        return promised(found) if found else {}

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        file = locks.state_file(self.record.backend, self.stack)
        if file is not None:
            return file.exists() or file.with_suffix(".json.gz").exists()
        with applied(self.environment):
            self.stack_dir.refresh(None)
            found = json.loads(self._run(["stack", "ls", "--json"]))
        return any(each["name"].rpartition("/")[2] == self.stack for each in found)

    def exported(self) -> dict[str, Any]:
        """The state, its secrets still encrypted."""
        with applied(self.environment):
            self._open()
            return self._exported()

    def _exported(self) -> dict[str, Any]:
        return dict(json.loads(self._run(["stack", "export", "--stack", self.stack])))

    def forget(self, *, force: bool = False) -> None:
        """Remove the stack from the backend; with `force` also one that records resources."""
        flags = ["--force"] if force else []
        with applied(self.environment):
            self._run(["stack", "rm", "--yes", "--preserve-config", *flags, "--stack", self.stack])

    def _open(self) -> Stack:
        folder = locks.state_folder(self.record.backend)
        if folder is not None:
            writable(folder)
        workspace = LocalWorkspace(
            work_dir=str(self.stack_dir.project),
            pulumi_home=str(places.pulumi_home()),
            program=self._guarded_program if self._program else None,
            secrets_provider=self.record.secrets_provider,
            pulumi_command=self._command,
        )
        try:
            return Stack.create_or_select(self.stack, workspace)
        except errors.CommandError as error:
            raise self._explained(Record(), error) from error

    def _guarded_program(self) -> None:
        # The SDK turns what the program raises into text; the original is worth more.
        assert self._program is not None  # noqa: S101 - `_open` hands this on only where there is one
        try:
            self._program()
        except BaseException as error:
            self._raised = error
            raise

    def _preview(self, stack: Stack, allow_replace: Sequence[str] | None) -> Result:
        """Compare; with `allow_replace` given, refuse what would be lost."""
        with step(self._sink, "Comparing with what is there", unit="changes") as work:
            check = None if allow_replace is None else self._check_losses(allow_replace)
            record = self._collect(work, lambda on: stack.preview(on_event=on), check)
            result = Result.of(record)
            work.end("done" if result.changed else "unchanged", str(result))
            return result

    def _up(self, stack: Stack, planned: Result) -> Result:
        total = planned.changed
        with step(self._sink, "Deploying", total=total, unit="resources") as work:
            run = lambda on: stack.up(on_event=on, show_secrets=False)  # noqa: E731 - as above
            record = self._collect(work, run, watched=True)
            result = Result.of(record)
            work.end("done", str(result))
            return result

    def _check_losses(self, allow_replace: Sequence[str]) -> Callable[[Record], None]:
        return lambda record: refuse_losses(record.changed(), allow_replace, self.stack)

    def _collect(
        self,
        work: Step,
        run: Callable[[Collector], object],
        check: Callable[[Record], None] | None = None,
        *,
        watched: bool = False,
    ) -> Record:
        """Run, and judge.

        Args:
            work: shows the progress.
            run: one call of the engine, given the taker of its events.
            check: comes before the judgement, for a refusal explains a failure.
            watched: end the run where what it waits for will not come.
        """
        waiting = None
        if watched and self._open_cluster is not None:
            waiting = Waiting(self._open_cluster, self._command.interrupt, work)
        collector = Collector(work, waiting)
        self._raised = None
        failure: errors.CommandError | None = None
        with waiting or nullcontext():
            try:
                run(collector)
            except errors.CommandError as error:
                failure = error
        if check is not None:
            check(collector.record)
        if failure is not None:
            verdict = waiting.verdict if waiting else None
            raise self._explained(collector.record, failure, verdict) from failure
        if collector.record.corrupt:
            raise OperationFailed(
                "Pulumi reports the state as corrupt",
                hint=f'eval "$(mlops-infra env -s {self.stack})", then: pulumi state repair',
            )
        return collector.record

    def _explained(
        self, record: Record, error: errors.CommandError, verdict: Verdict | None = None
    ) -> MlopsError:
        owners = locks.held(self.record.backend, self.stack)
        if owners and isinstance(error, errors.ConcurrentUpdateError):  # taken after we looked
            return locks.refusal(self.stack, owners)
        found = explain.failure(
            record,
            error,
            raised=self._raised,
            stack=self.stack,
            cluster=self._open_cluster,
            verdict=verdict,
        )
        found.what = redacted(found.what)
        return found

    @property
    def _open_cluster(self) -> Callable[[], Cluster] | None:
        """Opens the cluster of the stack; None where there is none (yet)."""
        record = self.record
        if record.site is not None or (record.cluster and not record.kubeconfig):
            return None
        return lambda: Cluster.open(record.kubeconfig, record.context)

    def _clear_pending(self) -> list[str]:
        state = locks.state_file(self.record.backend, self.stack)
        return pending.clear(self._run, state, self.stack, self.stack_dir.folder, self._sink)

    def _run(self, arguments: list[str]) -> str:
        try:
            done = self._command.run(arguments, str(self.stack_dir.project), {})
        except errors.CommandError as error:
            raise self._explained(Record(), error) from error
        return str(done.stdout)
