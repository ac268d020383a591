"""One supervised process: started, watched, restarted with a growing pause.

Only the standard library; runs inside the supervisor.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_infra.cluster.instance.state import ProcessState
from mlops_infra.cluster.node import mounts

FIRST_PAUSE, LONGEST_PAUSE = 0.3, 20.0
"""Seconds before a restart; doubled each time up to the second."""
SETTLED = 30.0
"""Seconds after which a running process counts as healthy and the pause starts small again."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    inside: bool = True
    """In the node's mount namespace; False: among the host's files (our own Python)."""
    needs: tuple[str, ...] = ()
    """Probes that must pass first: see `probes.passes`."""
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL when it is asked to stop."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the supervisor's plan."""
        return {**dataclasses.asdict(self), "env": dict(self.env)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> ProcessSpec:
        """The reverse of `as_dict`."""
        return cls(**{**found, "argv": tuple(found["argv"]), "needs": tuple(found["needs"])})


class SupervisedProcess:
    """A `ProcessSpec` and what became of it."""

    def __init__(self, spec: ProcessSpec, log: Path, space: int | None) -> None:
        self.spec = spec
        self.log = log
        self.space = space if spec.inside else None
        self.pid: int | None = None
        self.since: float | None = None
        self.exits = 0
        self.streak = 0
        self.last = ""
        self.stopping = False
        self._pause = FIRST_PAUSE
        self._not_before = 0.0

    @property
    def due(self) -> bool:
        """Whether it may be started now, as far as its back-off goes."""
        return self.pid is None and not self.stopping and time.monotonic() >= self._not_before

    def start(self) -> None:
        """Fork and exec; a program that cannot be executed ends with code 127 and says so.

        Raises:
            OSError: there is no room for a process or for its log.
        """
        out = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            pid = os.fork()
            if pid == 0:
                _become(self.spec.argv, self.spec.env, self.space, out)
        finally:
            os.close(out)
        self.pid, self.since = pid, time.time()

    def ended(self, status: int) -> None:
        """Take note of its end."""
        code = os.waitstatus_to_exitcode(status)
        self.last = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._settle()
        self.pid = None
        self._pause_again()

    def failed(self, why: str) -> None:
        """It could not be started: again after the pause."""
        self.last = why
        self._pause_again()

    def _pause_again(self) -> None:
        if not self.stopping:
            self.exits += 1
            self.streak += 1
            self._not_before = time.monotonic() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _settle(self) -> None:
        if self.pid is not None and self.since is not None and time.time() - self.since > SETTLED:
            self._pause, self.streak = FIRST_PAUSE, 0

    def ask_to_stop(self) -> None:
        """SIGTERM, and no restart afterwards."""
        self.stopping = True
        if self.pid is not None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    def report(self) -> ProcessState:
        """Its line in the state file."""
        self._settle()
        if self.pid is not None:
            phase = "running"
        elif self.stopping:
            phase = "stopped"
        else:
            phase = "failed" if self.exits else "waiting"
        return ProcessState(
            self.spec.name, phase, self.pid, self.since, self.exits, self.streak, self.last
        )


def _become(argv: Sequence[str], env: Mapping[str, str], space: int | None, out: int) -> None:
    """In the forked child: never returns."""
    try:
        os.setsid()
        # where there is no process namespace, nothing may outlive the supervisor either
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if space is not None:
            mounts.enter_space(space)
        os.chdir("/")
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 - no shell is meant
    except (OSError, TypeError, ValueError) as error:
        os.write(2, f"{argv[0]} could not be started: {error}\n".encode())
    finally:
        os._exit(127)
