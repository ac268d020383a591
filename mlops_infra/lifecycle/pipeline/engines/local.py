"""Runs a pipeline on this machine: each step in this process, or in one of its own.

The same command line, files and results as on the engines of a cluster, for a laptop, a notebook
and the tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_infra.errors import OperationFailed
from mlops_infra.lifecycle.pipeline.definition.arguments import encoded
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Step, Value
from mlops_infra.lifecycle.pipeline.engines.invocation import arguments
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.pipeline.steps.execution import execute
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.services.environment import Environment
from mlops_infra.progress import Sink
from mlops_infra.progress import step as progress_step

_MAIN = "from mlops_infra.cli.main import main; main()"
LAST_LINES = 20
"""Of a failed step's output, kept in the error."""


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A run that has ended well."""

    pipeline: Pipeline
    run: str
    folder: Path

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics that the run has written; empty where the pipeline names none."""
        source = self.pipeline.metrics
        if source is None:
            return {}
        place = self.place(source.step, source.output)
        found: dict[str, float] = contents.load("metrics", Path(place).read_bytes(), place)
        return found

    def place(self, step: str, output: str) -> str:
        """Where a step has written an output."""
        return str(self.folder / step / output)


class LocalWords:
    """A run's values and files on this machine."""

    def __init__(
        self, pipeline: Pipeline, run: str, folder: Path, values: Mapping[str, Value]
    ) -> None:
        self._where = LocalRun(pipeline, run, folder)
        self._values = values

    def text(self, text: str) -> str:
        """A fixed word."""
        return text

    def parameter(self, name: str) -> str:
        """`name=value`."""
        return f"{name}={encoded(self._values[name])}"

    def input(self, step: Step, name: str) -> str:
        """`name=path`."""
        source = step.inputs[name]
        return f"{name}={self._where.place(source.step, source.output)}"

    def output(self, step: Step, name: str) -> str:
        """`name=path`."""
        return f"{name}={self._where.place(step.name, name)}"

    def run(self) -> str:
        """The id of this run."""
        return self._where.run


def run_in_process(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    *,
    run: str,
    folder: Path,
    around: Environment,
    sink: Sink,
    cache: Path | None = None,
) -> LocalRun:
    """Run every step here, one after the other.

    Raises:
        MlopsError: whatever a step raises; the steps before it have left their files.
    """
    where = LocalRun(pipeline, run, folder)
    for step in pipeline.steps:
        job = Job(
            pipeline=pipeline,
            step=step,
            run=run,
            parameters={name: values[name] for name in step.parameters},
            inputs={n: where.place(s.step, s.output) for n, s in step.inputs.items()},
            outputs={name: where.place(step.name, name) for name in step.outputs},
            around=around,
            commit=pipeline.commit,
        )
        execute(job, sink, cache=str(cache) if cache else None)
    return where


def run_as_processes(
    pipeline: Pipeline,
    values: Mapping[str, Value],
    *,
    run: str,
    folder: Path,
    environment: Mapping[str, str],
    sink: Sink,
    cache: Path | None = None,
) -> LocalRun:
    """Run every step as a process of its own, with the command line that a Pod would get.

    Raises:
        OperationFailed: a step ended with another exit code than 0; its last lines are shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = None
    if pipeline.code is not None:
        code = str(folder / f"{pipeline.code.sha256}.py")
        Path(code).write_text(pipeline.code.text, encoding="utf-8")
    words = LocalWords(pipeline, run, folder, values)
    for step in pipeline.steps:
        command = [sys.executable, "-c", _MAIN]
        command += arguments(pipeline, step, words, code=code)
        if step.cached and cache is not None:
            command += ["--cache", str(cache)]
        with progress_step(sink, f"{pipeline.name}: {step.name}"):
            _ran(step, command, {**os.environ, **environment})
    return LocalRun(pipeline, run, folder)


def _ran(step: Step, command: list[str], environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=step.timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OperationFailed(
            f"step '{step.name}' took longer than its time limit of {step.timeout_seconds} s",
            hint=f"if it needs more: @step(timeout_seconds={2 * step.timeout_seconds})",
        ) from error
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
        raise OperationFailed(
            f"step '{step.name}' {_ending(done.returncode)}\n{tail}",
            hint="run it alone: " + " ".join(json.dumps(word) for word in command[2:8]) + " …",
        )


def _ending(code: int) -> str:
    """How a process ended: below zero, by a signal."""
    if code >= 0:
        return f"ended with exit code {code}"
    known = {each.value for each in signal.Signals}
    name = signal.Signals(-code).name if -code in known else f"signal {-code}"
    killed = "; the system kills a process when memory runs out" if name == "SIGKILL" else ""
    return f"was ended by {name}{killed}"
