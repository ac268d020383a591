"""Runs one marked function in a process of its own."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from types import ModuleType
from typing import Any, NoReturn

from mlops_infra.errors import Interrupted, MlopsError, OperationFailed
from mlops_infra.lifecycle.pipeline.definition.model import Code
from mlops_infra.lifecycle.pipeline.source.functions import Marked, marked
from mlops_infra.lifecycle.pipeline.source.module import parse
from mlops_infra.lifecycle.pipeline.source.user_pipeline import RESULT, origin
from mlops_infra.lifecycle.pipeline.steps.job import Job

MODULE = "mlops_infra_user_code"


class _Quit(BaseException):
    """The person's code has called `os._exit`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def run(job: Job) -> Mapping[str, Any]:
    """Call the function of the step with its inputs and parameters.

    Raises:
        OperationFailed: the function raised, or ended its process; the error names the place in the
            person's file.
        Interrupted: the step was stopped from outside.
    """
    code = job.pipeline.code
    if code is None:
        raise AssertionError("the pipeline has no code for this step")
    function = next(each for each in marked(parse(code.text)) if each.step == job.step.name)
    given = {name: job.load(name) for name in job.step.inputs} | dict(job.parameters)
    given |= dict.fromkeys(function.nothing)
    # A name of its own for tracebacks: nothing else in this process is called so.
    file = f"<{code.sha256[:12]}>"
    if sys.stderr is sys.__stderr__:
        # a library that crashes takes the process down: its last words name the function
        faulthandler.enable()
    try:
        with _module(file) as space, _no_exit(), _stdout_as_stderr():
            # The person's own code, named by its hash, in a Pod of the person's tenant: meant to
            # run, and without what this file imports from `__future__`.
            exec(compile(code.text, file, "exec", dont_inherit=True), space)  # noqa: S102
            returned = _call(space[function.name], function, given)
    except MlopsError:
        raise
    except KeyboardInterrupt as stopped:
        raise _stopped(job) from stopped
    except BaseException as error:
        raise _failed(job, code, file, error) from error
    return {RESULT: returned} if job.step.outputs else {}


def _call(function: Callable[..., Any], of: Marked, given: Mapping[str, Any]) -> Any:
    names = [argument.name for argument in of.arguments]
    placed, named = names[: of.positional], names[of.positional :]
    return function(*(given[name] for name in placed), **{name: given[name] for name in named})


@contextmanager
def _module(file: str) -> Iterator[dict[str, Any]]:
    """The names of a module of its own; dataclasses and pickle look for it among all modules."""
    module = ModuleType(MODULE)
    module.__file__ = file
    sys.modules[MODULE] = module
    try:
        yield vars(module)
    finally:
        sys.modules.pop(MODULE, None)


@contextmanager
def _no_exit() -> Iterator[None]:
    """`os._exit` would end the step as done, with nothing written; children may still use it."""
    real, here = os._exit, os.getpid()

    def exit_(status: int) -> NoReturn:
        if os.getpid() == here:
            raise _Quit(status)
        real(status)

    os._exit = exit_
    try:
        yield
    finally:
        os._exit = real


@contextmanager
def _stdout_as_stderr() -> Iterator[None]:
    """What a person's code prints is no result of the program that runs it."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _failed(job: Job, code: Code, file: str, error: BaseException) -> OperationFailed:
    name = f"step '{job.step.name}'"
    where = _where(code, file, error)
    if isinstance(error, SystemExit):
        return OperationFailed(
            f"{name} called sys.exit({error.code!r}) and returned nothing", where=where, hint=_END
        )
    if isinstance(error, _Quit):
        return OperationFailed(
            f"{name} called os._exit({error.status}) and returned nothing", where=where, hint=_END
        )
    memory = job.step.resources.memory
    hint = f"it may use {memory}: @step(memory=...)" if isinstance(error, MemoryError) else None
    return OperationFailed(f"{name} raised {type(error).__name__}: {error}", where=where, hint=hint)


_END = "return the result; to end the run as failed, raise an exception"


def _stopped(job: Job) -> Interrupted:
    seconds = job.step.timeout_seconds
    return Interrupted(
        f"step '{job.step.name}' was stopped; its time limit is {seconds} s",
        hint="if it needs more: @step(timeout_seconds=...)",
    )


def _where(code: Code, file: str, error: BaseException) -> str | None:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    if not frames or frames[-1].lineno is None:
        return None
    line = frames[-1].lineno
    source = origin(code.text)
    shown = code.text.split("\n")[line - 1].strip()
    return f"{source.name}, {source.place(line)}: {shown}"
