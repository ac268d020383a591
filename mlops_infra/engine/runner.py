"""One stack under the real Pulumi engine, through the Automation API with our inline program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pulumi.automation import LocalWorkspace, Stack, errors

from mlops_infra.engine import explain, keeping, locks, mending, pending
from mlops_infra.engine.environment import applied, pulumi_home, writable
from mlops_infra.engine.events import Collector, Record
from mlops_infra.engine.pods import Cluster
from mlops_infra.engine.process import OwnedPulumi
from mlops_infra.engine.protection import refuse_losses
from mlops_infra.engine.record import StackRecord
from mlops_infra.engine.results import Result, promised
from mlops_infra.engine.room import Room
from mlops_infra.engine.tools import Tools
from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.progress import Sink, Step, step

_UPSERT = "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"
"""Lets the official provider take over what a killed run made; the stand-in knows its own."""


class Engine:
    """Runs one stack; everything it needs is handed in."""

    def __init__(
        self,
        stack: str,
        sink: Sink,
        *,
        room: Room,
        record: StackRecord,
        tools: Tools,
        environment: Mapping[str, str],
        program: Callable[[], None] | None = None,
    ) -> None:
        self.stack = stack
        self.room = room
        self.record = record
        self._sink = sink
        self.environment = environment
        self._program = program
        self._raised: BaseException | None = None
        self._stand_in = tools.provider.stand_in
        self._command = OwnedPulumi(tools.pulumi, tools.version, sink)

    def preview(self) -> Result:
        """Compare the program with the state and the cluster; changes nothing.

        Raises:
            MlopsError: the program or the cluster refuses.
        """
        with applied(self.environment):
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
            unsure = bool(self._clear_pending()) or mended
            planned = self._preview(stack, allow_replace)
            if not planned.changed and not unsure and whole == self.room.applied:
                return planned
            self.room.applied = ""
            if unsure and not self._stand_in:
                with applied({_UPSERT: "true"}):
                    done = self._up(stack, planned)
                # the SDK writes that permission into the provider's inputs: take it out again
                self._up(stack, done)
            else:
                done = self._up(stack, planned)
            self.room.applied = whole
            return done

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
                return Result.of(self._collect(work, run))

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs as the state has them."""
        import json

        with applied(self.environment):
            self._open()
            found = json.loads(self._run(["stack", "output", "--json", "-s", self.stack]))
        return promised(found) if found else {}

    def exists(self) -> bool:
        """Whether the backend knows the stack."""
        file = locks.state_file(self.record.backend, self.stack)
        if file is not None:
            return file.exists() or file.with_suffix(".json.gz").exists()
        import json

        with applied(self.environment):
            self.room.refresh(None)
            found = json.loads(self._run(["stack", "ls", "--json"]))
        return any(each["name"].rpartition("/")[2] == self.stack for each in found)

    def exported(self) -> dict[str, Any]:
        """The state, its secrets still encrypted."""
        import json

        with applied(self.environment):
            self._open()
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
            work_dir=str(self.room.project),
            pulumi_home=str(pulumi_home()),
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
            record = self._collect(work, lambda on: stack.up(on_event=on, show_secrets=False))
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
    ) -> Record:
        """Run, and judge; `check` comes first, for a refusal explains a failure."""
        collector = Collector(work)
        self._raised = None
        failure: errors.CommandError | None = None
        try:
            run(collector)
        except errors.CommandError as error:
            failure = error
        if check is not None:
            check(collector.record)
        if failure is not None:
            raise self._explained(collector.record, failure) from failure
        if collector.record.corrupt:
            raise OperationFailed(
                "Pulumi reports the state as corrupt",
                hint=f'eval "$(mlops-infra env -s {self.stack})", then: pulumi state repair',
            )
        return collector.record

    def _explained(self, record: Record, error: errors.CommandError) -> MlopsError:
        owners = locks.held(self.record.backend, self.stack)
        if owners and isinstance(error, errors.ConcurrentUpdateError):  # taken after we looked
            return locks.refusal(self.stack, owners)
        cluster = None
        on_prem = self.record.site is None
        if on_prem and (self.record.kubeconfig or self.record.cluster is None):
            path = Path(self.record.kubeconfig) if self.record.kubeconfig else None
            cluster = lambda: Cluster(path, self.record.context)  # noqa: E731 - opened only if asked
        return explain.failure(
            record, error, raised=self._raised, stack=self.stack, cluster=cluster
        )

    def _clear_pending(self) -> list[str]:
        state = locks.state_file(self.record.backend, self.stack)
        return pending.clear(self._run, state, self.stack, self.room.folder, self._sink)

    def _run(self, arguments: list[str]) -> str:
        try:
            done = self._command.run(arguments, str(self.room.project), {})
        except errors.CommandError as error:
            raise self._explained(Record(), error) from error
        return str(done.stdout)
