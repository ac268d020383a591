"""Turns the command line of `mlops-infra step` into the job that it describes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.arguments import decoded
from mlops_infra.lifecycle.pipeline.definition.model import Code, Pipeline
from mlops_infra.lifecycle.pipeline.definition.standard import standard
from mlops_infra.lifecycle.pipeline.steps.job import Job
from mlops_infra.lifecycle.services.environment import Environment


def job_of(
    entry: str,
    *,
    pipeline: str,
    step: str,
    run: str,
    parameters: Iterable[str],
    inputs: Iterable[str],
    outputs: Iterable[str],
    code: str | None,
    code_sha256: str | None,
    commit: str | None,
    around: Environment,
) -> Job:
    """The job; everything comes from outside and is checked.

    Raises:
        InputError: no such pipeline or step, or its values and places do not fit.
        OperationFailed: the code cannot be fetched.
    """
    of = _pipeline(pipeline, code, code_sha256, commit, around)
    declared = of.step(step)
    if declared.entry != entry:
        raise InputError(f"step '{step}' of '{pipeline}' is a {declared.entry}, not a {entry}")
    given = pairs("-p", parameters)
    return Job(
        pipeline=of,
        step=declared,
        run=run,
        parameters={name: decoded(of.parameter(name), text) for name, text in given.items()},
        inputs=pairs("--in", inputs),
        outputs=pairs("--out", outputs),
        around=around,
        commit=commit,
    )


def _pipeline(
    name: str, code: str | None, sha256: str | None, commit: str | None, around: Environment
) -> Pipeline:
    if code is None:
        return standard(name)
    # reading a person's module takes what the built-in steps do not need
    from mlops_infra.lifecycle.pipeline.source.user_pipeline import from_code, origin

    body = storage.read(code, around)
    found = storage.digest(body)
    if found != sha256:
        raise InputError(
            "the code differs from the submitted code",
            where=code,
            hint=f"its sha256 is {found}, expected {sha256}",
        )
    text = body.decode()
    return from_code(Code(text, found, origin(text).name, commit), name)


def pairs(option: str, given: Iterable[str]) -> Mapping[str, str]:
    """Read `name=value` pairs; raises `InputError` where one is none or comes twice."""
    found: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputError(
                f"'{pair}' is not a NAME=VALUE pair", hint=f"write {option} name=value"
            )
        if name in found:
            raise InputError(f"{option} {name} is duplicated")
        found[name] = value
    return found
