"""Runs one marked function in a process of its own."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from mlops_infra.errors import MlopsError, OperationFailed
from mlops_infra.lifecycle.pipeline.source.functions import marked
from mlops_infra.lifecycle.pipeline.source.module import parse
from mlops_infra.lifecycle.pipeline.source.user_pipeline import RESULT, origin
from mlops_infra.lifecycle.pipeline.steps.job import Job

MODULE = "mlops_infra_user_code"


def run(job: Job) -> Mapping[str, Any]:
    """Call the function of the step with its inputs and parameters.

    Raises:
        OperationFailed: the function raised; the error names the place in the person's file.
    """
    code = job.pipeline.code
    if code is None:
        raise AssertionError("the pipeline has no code for this step")
    names = {each.step: each.name for each in marked(parse(code.text))}
    given = {name: job.load(name) for name in job.step.inputs}
    given |= dict(job.parameters)
    # A name of its own for tracebacks: nothing else in this process is called so.
    file = f"<{code.sha256[:12]}>"
    space: dict[str, Any] = {"__name__": MODULE, "__file__": file}
    try:
        # The person's own code, named by its hash, in a Pod of the person's tenant: meant to run.
        exec(compile(code.text, file, "exec"), space)  # noqa: S102
        returned = space[names[job.step.name]](**given)
    except MlopsError:
        raise
    except Exception as error:
        raise _failed(job, file, error) from error
    return {RESULT: returned} if job.step.outputs else {}


def _failed(job: Job, file: str, error: Exception) -> OperationFailed:
    code = job.pipeline.code
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    where = None
    if frames and code is not None and frames[-1].lineno is not None:
        line = frames[-1].lineno
        source = origin(code.text)
        shown = code.text.split("\n")[line - 1].strip()
        where = f"{source.name}, {source.place(line)}: {shown}"
    return OperationFailed(
        f"step '{job.step.name}' raised {type(error).__name__}: {error}", where=where
    )
