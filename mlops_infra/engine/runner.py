"""One stack under the real Pulumi engine, through the Automation API with our inline program."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import Any

from pulumi.automation import LocalWorkspace, Stack, errors

from mlops_infra import places
from mlops_infra.components.secret_values import redacted
from mlops_infra.engine import explain, keeping, live_objects, locks, mending, pending, restoring
from mlops_infra.engine.environment import applied, writable
from mlops_infra.engine.events import Collector, RunLog
from mlops_infra.engine.last_run import Given, LastRun, state_digest
from mlops_infra.engine.live_objects import LiveState
from mlops_infra.engine.process import OwnedPulumi
from mlops_infra.engine.protection import refuse_losses, refuse_together
from mlops_infra.engine.results import Result, promised
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.engine.tools import Tools
from mlops_infra.engine.waiting import Verdict, Waiting
from mlops_infra.errors import MlopsError, OperationFailed
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
        self.resources: Sequence[Mapping[str, Any]] = ()
        """Those of the state, secrets encrypted, as `preview` and `up` have read them."""
        self._raised: BaseException | None = None
        self.tools = tools
        self._command = OwnedPulumi(tools.pulumi, tools.version, sink)

    def preview(self, *, refresh: bool = True) -> Result:
        """Compare the program with the state and the cluster; changes nothing.

        Args:
            refresh: look for what was deleted or changed by hand.

        Raises:
            MlopsError: the program or the cluster refuses.
        """
        with applied(self.environment):
            stack = self._open()
            resources = self.resources = self._deployment().get("resources") or ()
            live = self._compared(resources) if refresh else LiveState()
            live_objects.refuse_another_cluster(live, (), self.stack)
            unsure = bool(live.differences)
            with applied(self._takes_over(resources, unsure=unsure)):
                asks_aws = refresh and self.record.site is not None
                return self._preview(stack, refresh=asks_aws).restoring(live)

    def live_state(self) -> LiveState:
        """What somebody has deleted or changed in the cluster; nothing on AWS."""
        with applied(self.environment):
            self._open()
            return self._compared(self._deployment().get("resources") or ())

    def up(
        self,
        allow_replace: Sequence[str],
        *,
        break_lock: bool = False,
        given: Given = Given(),  # noqa: B008 - frozen
        refresh: bool = True,
        allow: Callable[[Result], None] = lambda _planned: None,
        make_way: Callable[[], None] = lambda: None,
    ) -> Result:
        """Bring the stack to what the program says; nothing is run where nothing differs.

        Args:
            allow_replace: stateful things that may be lost.
            break_lock: take the stack from whoever holds it.
            given: what the run is given; see `last_run`. A preview without changes ends the run
                only if the last one that ended well was asked for the same.
            refresh: look for what was deleted or changed by hand, and put it right.
            allow: judges what was planned; what it raises ends the run.
            make_way: called before anything is changed.

        Raises:
            InputError: it would lose something stateful that `allow_replace` does not name.
            StackLocked: another run holds the stack.
            OperationFailed: with one cause and one next step.
            Interrupted: on Ctrl-C; what was done is recorded.
        """
        locks.clear(self.record.backend, self.stack, self._sink, break_lock=break_lock)
        mended = mending.mend(self.record.backend, self.stack, self._sink)
        with applied(self.environment):
            if refresh and not mended and (same := self._same_again(given)):
                return same
            stack = self._open()
            deployment = self._deployment()
            resources = self.resources = deployment.get("resources") or ()
            half_done = self._clear_pending(deployment)
            unsure = bool(half_done) or mended
            live = self._refreshed(stack, resources, half_done) if refresh else LiveState()
            altered = live.of("altered")
            with applied(self._takes_over(resources, unsure=unsure or bool(altered))):
                planned = self._preview(stack, self._refusals(allow_replace, allow))
                due = planned.changes
                if (cluster := self._cluster) is not None:
                    restoring.restore(cluster, altered, due, self.stack, self._in_clear, self._sink)
                    live_objects.refuse_foreign(cluster, due, field_manager(self.stack))
                asked = LastRun.of(self.stack_dir).given.asked
                if not planned.changed and not unsure and given.asked == asked:
                    self._keep(given)
                    return planned.restoring(live)
                LastRun().keep(self.stack_dir)
                make_way()
                done = self._up(stack, planned)
            self._keep(given)
            return done.restoring(live)

    def _same_again(self, given: Given) -> Result | None:
        """What `up` comes to where all is as the last run left it; None where it may not be."""
        file = locks.state_file(self.record.backend, self.stack)
        deployment = pending.deployment_of(file) if file else {}
        result = LastRun.of(self.stack_dir).result(given, deployment)
        if result is None or (live := self._compared(deployment["resources"])).lines():
            return None
        with step(self._sink, "Comparing with the last run") as work:
            work.end("unchanged", "same program, configuration, secrets and state")
        return result.restoring(live)

    def _keep(self, given: Given) -> None:
        LastRun(given, state_digest(self._deployment())).keep(self.stack_dir)

    def _refreshed(
        self, stack: Stack, resources: Sequence[Mapping[str, Any]], half_done: Collection[str]
    ) -> LiveState:
        """Compare with what is there, and let the state know of what is missing.

        Args:
            stack: opened.
            resources: of its state.
            half_done: URNs of what a killed run was about; it may have deleted them itself.

        Raises:
            InputError: the cluster has nothing of this stack.
        """
        if resources and self.record.site is not None:
            with step(self._sink, "Comparing the state with AWS", unit="resources") as work:
                self._collect(work, lambda on: stack.refresh(on_event=on, show_secrets=False))
        live = self._compared(resources)
        live_objects.refuse_another_cluster(live, half_done, self.stack)
        if missing := [each.urn for each in live.of("missing")]:
            run = lambda on: stack.refresh(  # noqa: E731 - one call with the collector put in
                target=missing, on_event=on, show_secrets=False
            )
            with step(self._sink, "Recording what is missing", unit="objects") as work:
                self._collect(work, run)
        return live

    def _compared(self, resources: Sequence[Mapping[str, Any]]) -> LiveState:
        """What of the state's objects is missing or altered in the cluster."""
        if not resources or self._cluster is None:
            return LiveState()
        with step(self._sink, "Comparing the state with the cluster", unit="objects") as work:
            live = live_objects.compare(self._cluster, resources, self._in_clear)
            work.end("done", str(live))
        return live

    def _takes_over(
        self, resources: Sequence[Mapping[str, Any]], *, unsure: bool
    ) -> dict[str, str]:
        told = self._open_cluster and restoring.takes_over(resources, self.stack, unsure=unsure)
        return {_FORCE: "true"} if told else {}

    def _deployment(self) -> Mapping[str, Any]:
        """The state, its secrets still encrypted; nothing without a state."""
        file = locks.state_file(self.record.backend, self.stack)
        if file is not None:
            return pending.deployment_of(file)
        return dict(self._exported()["deployment"])

    def _in_clear(self) -> Sequence[Mapping[str, Any]]:
        """The resources of the state with their secrets; nothing of them is kept or shown."""
        flags = ["--show-secrets", "--stack", self.stack]
        exported = json.loads(self._run(["stack", "export", *flags]))
        return list(exported["deployment"].get("resources") or ())

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
            self._clear_pending(self._deployment())
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
            raise self._explained(RunLog(), error) from error

    def _guarded_program(self) -> None:
        # The SDK turns what the program raises into text; the original is worth more.
        assert self._program is not None  # noqa: S101 - `_open` hands this on only where there is one
        try:
            self._program()
        except BaseException as error:
            self._raised = error
            raise

    def _preview(
        self,
        stack: Stack,
        check: Callable[[RunLog], None] | None = None,
        *,
        refresh: bool = False,
    ) -> Result:
        """Compare; `check` may refuse what was planned."""
        with step(self._sink, "Comparing with what is there", unit="changes") as work:
            run = lambda on: stack.preview(on_event=on, refresh=refresh)  # noqa: E731 - as above
            result = Result.of(self._collect(work, run, check))
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

    def _refusals(
        self, allow_replace: Sequence[str], allow: Callable[[Result], None]
    ) -> Callable[[RunLog], None]:
        """What must not be lost: named by the guard, and by the state."""
        return lambda log: refuse_together(
            lambda: allow(Result.of(log)),
            lambda: refuse_losses(log.changed(), allow_replace, self.stack),
        )

    def _collect(
        self,
        work: Step,
        run: Callable[[Collector], object],
        check: Callable[[RunLog], None] | None = None,
        *,
        watched: bool = False,
    ) -> RunLog:
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
            check(collector.log)
        if failure is not None:
            verdict = waiting.verdict if waiting else None
            raise self._explained(collector.log, failure, verdict) from failure
        if collector.log.corrupt:
            raise OperationFailed(
                "Pulumi reports the state as corrupt",
                hint=f'eval "$(mlops-infra env -s {self.stack})", then: pulumi state repair',
            )
        return collector.log

    def _explained(
        self, log: RunLog, error: errors.CommandError, verdict: Verdict | None = None
    ) -> MlopsError:
        owners = locks.held(self.record.backend, self.stack)
        if owners and isinstance(error, errors.ConcurrentUpdateError):  # taken after we looked
            return locks.refusal(self.stack, owners)
        found = explain.failure(
            log,
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

    @cached_property
    def _cluster(self) -> Cluster | None:
        return self._open_cluster() if self._open_cluster else None

    def _clear_pending(self, deployment: Mapping[str, Any]) -> list[str]:
        folder = self.stack_dir.folder
        return pending.clear(self._run, deployment, self.stack, folder, self._sink)

    def _run(self, arguments: list[str]) -> str:
        try:
            done = self._command.run(arguments, str(self.stack_dir.project), {})
        except errors.CommandError as error:
            raise self._explained(RunLog(), error) from error
        return str(done.stdout)
