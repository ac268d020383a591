"""The Pulumi child as ours alone: it hears our Ctrl-C from us, and never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any, Self

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from mlops_infra.errors import Interrupted
from mlops_infra.progress import Sink, quiet, step

HARD_STOP_PATIENCE = 5.0
"""Seconds that a second Ctrl-C leaves Pulumi to write its state before its group is killed."""

_GUARD = r"""
read -r line && exit
session=$1
set -f
for number in $(ls /proc); do
  read -r text < "/proc/$number/stat" || continue
  set -- ${text##*) }
  [ "$4" = "$session" ] && kill -KILL "$number"
done 2>/dev/null
kill -KILL -- "-$session"
"""
"""Waits on a pipe that closes with our death, `kill -9` included, and then ends Pulumi's whole
session: the engine gives each plugin a process group of its own. A word on the pipe lets it go.
PR_SET_PDEATHSIG would reach the engine alone, and fires when the starting *thread* ends."""


class OwnedPulumi(PulumiCommand):
    """The CLI at a path of ours, in a process group of its own."""

    def __init__(self, binary: Path, version: str, sink: Sink = quiet) -> None:
        # The base class would run `pulumi version` and take its folder from a fixed layout; the
        # toolchain knows both already, and that saves a process for every command of ours.
        self.command = str(binary)
        self.version = _version(version)
        self.sink = sink
        self._child: subprocess.Popen[str] | None = None

    def interrupt(self) -> None:
        """Ask the run under way to end: what it has begun is recorded, nothing more is begun."""
        child = self._child
        if child is not None and child.poll() is None:
            child.send_signal(signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> CommandResult:
        """Run `pulumi` and return its output.

        Raises:
            CommandError: it failed; the text may hold secrets and must not be shown whole.
            Interrupted: the user stopped it; what was done is in the state.
        """
        command = [self.command, "--non-interactive", *args]
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with Stopper(self.sink) as stopper:
            child = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            with _guarded(child.pid), child:
                outputs = _Reader(child.stdout, on_output), _Reader(child.stderr, on_error)
                stopper.watch(child)
                self._child = child
                child.wait()
                self._child = None
                out, err = (reader.text() for reader in outputs)
        if stopper.asked:
            raise stopped()
        result = CommandResult(stdout=out, stderr=err, code=child.returncode)
        if child.returncode != 0:
            raise create_command_error(result)
        return result


def stopped() -> Interrupted:
    """The end of a run that the user stopped."""
    return Interrupted(
        "stopped on request; the changes so far are recorded",
        hint="run the same command again to continue",
    )


class Stopper:
    """Turns Ctrl-C and SIGTERM into a polite stop of the child, and the second one into a hard one.

    Handlers instead of KeyboardInterrupt: that could strike between the start of the child and the
    first line that would have ended it.
    """

    def __init__(self, sink: Sink) -> None:
        self.asked = 0
        self._sink = sink
        self._child: subprocess.Popen[str] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def watch(self, child: subprocess.Popen[str]) -> None:
        """From now on this is the one to stop."""
        self._child = child
        if self.asked:
            self._pass_on()

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self._child is not None:
            self._pass_on()

    def _pass_on(self) -> None:
        assert self._child is not None  # noqa: S101 - both callers have looked
        group = self._child.pid
        self._child.send_signal(signal.SIGINT)
        if self.asked == 1:
            with step(self._sink, "Stopping") as work:
                work.end("done", "waiting for the current operations; Ctrl-C again stops at once")
        else:
            timer = threading.Timer(HARD_STOP_PATIENCE, _kill, (group,))
            timer.daemon = True
            timer.start()


def _kill(session: int) -> None:
    """Kill every process of a session; where the system has no /proc, its leader's group."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended
        # proc(5): state, parent, group, session after the name, which may hold anything
        if int(text.rpartition(")")[2].split()[3]) == session:
            with suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


@contextmanager
def _guarded(group: int) -> Iterator[None]:
    with subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "sh", str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as guard:
        try:
            yield
        finally:
            guard.communicate(b"done\n")


class _Reader:
    """Collects one stream of the child without ever letting its pipe fill up."""

    def __init__(self, stream: IO[str] | None, each: Callable[[str], object] | None) -> None:
        self._lines: list[str] = []
        self._stream = stream
        self._each = each
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream or ():
            self._lines.append(line.rstrip("\n"))
            if self._each:
                self._each(self._lines[-1])

    def text(self) -> str:
        # A plugin that outlives the engine for a moment may hold the pipe open.
        self._thread.join(HARD_STOP_PATIENCE)
        return "\n".join(self._lines)


def _version(text: str) -> VersionInfo:
    return VersionInfo.parse(text.removeprefix("v"))
