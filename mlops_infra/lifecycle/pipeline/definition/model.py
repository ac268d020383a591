"""What a pipeline is, told once: parameters, and steps that hand files to each other.

Nothing here knows an engine. `argo`, `kfp`, `sagemaker` and `local` each say the same definition in
their own words; every one of them runs a step as `mlops-infra step NAME` (see `invocation`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlops_infra.errors import InputError
from mlops_infra.parameters import Kind as Kind
from mlops_infra.parameters import Value as Value
from mlops_infra.parameters import kind_of

Content = Literal["table", "array", "model", "json", "bytes", "metrics"]
"""What a file that a step hands on holds: Parquet, NumPy, skops, JSON, anything, flat JSON."""

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a person may choose for a run."""

    name: str
    default: Value
    help: str = ""
    choices: tuple[Value, ...] = ()
    """The only values; empty where any value of the type will do."""

    def __post_init__(self) -> None:
        if not _PARAMETER.fullmatch(self.name):
            raise InputError(
                f"'{self.name}' is not a valid parameter name",
                hint="1 to 40 lower case letters, digits and _, starting with a letter",
            )

    @property
    def kind(self) -> Kind:
        """The type of the default, which is the type of every value."""
        return kind_of(self.default)


@dataclass(frozen=True, slots=True)
class Source:
    """One file that an earlier step writes."""

    step: str
    output: str


@dataclass(frozen=True, slots=True)
class Resources:
    """What a step asks for, and may never exceed."""

    cpu: str = "250m"
    memory: str = "768Mi"
    """Importing MLflow, pandas and scikit-learn alone takes about 350 MiB."""
    cpu_limit: str = "1"


@dataclass(frozen=True, slots=True)
class Step:
    """One process: reads its inputs, writes its outputs, ends."""

    name: str
    entry: str
    """What `mlops-infra step` runs: a built-in step, or `code` for a function of the user."""
    parameters: tuple[str, ...] = ()
    inputs: Mapping[str, Source] = field(default_factory=dict)
    outputs: Mapping[str, Content] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    """Steps that must have ended before, without handing anything over."""
    resources: Resources = field(default_factory=Resources)
    retries: int = 0
    """How often it is tried again when its process dies or a service does not answer."""
    timeout_seconds: int = 3600
    cached: bool = False
    """Equal code, parameters and inputs give the outputs of an earlier run."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps that must have ended before, each once."""
        return tuple(dict.fromkeys([s.step for s in self.inputs.values()] + list(self.after)))


@dataclass(frozen=True, slots=True)
class Code:
    """The user's part of a pipeline: one Python module, named by its content."""

    text: str = field(repr=False)
    sha256: str
    file: str
    """Name of the file that it was taken from, without folders."""
    commit: str | None = None
    """Git commit of that file; ends in `-dirty` where the file has changed since."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps in an order that respects what they need."""

    name: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    description: str = ""
    exclusive: str | None = None
    """A parameter of which only one run per value goes at a time, for example the model's name."""
    metrics: Source | None = None
    """The file that holds the metrics of a run."""
    code: Code | None = None
    asked_from: str | None = None
    """Git commit of the folder that a run without code of its own was asked from."""

    @property
    def commit(self) -> str | None:
        """The commit to record: of the person's code, else of where the run was asked from."""
        return self.code.commit if self.code is not None else self.asked_from

    def __post_init__(self) -> None:
        _check_names(self)
        _check_wiring(self)
        object.__setattr__(self, "steps", _ordered(self.steps))

    def step(self, name: str) -> Step:
        """The step `name`; raises `InputError` where there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise InputError(
            f"pipeline '{self.name}' has no step '{name}'",
            hint=f"its steps: {', '.join(step.name for step in self.steps)}",
        )

    def parameter(self, name: str) -> Parameter:
        """The parameter `name`; raises `InputError` where there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise InputError(
            f"pipeline '{self.name}' has no parameter '{name}'",
            hint=f"its parameters: {', '.join(p.name for p in self.parameters) or 'none'}",
        )

    def content(self, source: Source) -> Content:
        """What the file `source` holds."""
        return self.step(source.step).outputs[source.output]


def _check_names(pipeline: Pipeline) -> None:
    names = [step.name for step in pipeline.steps]
    for name in (pipeline.name, *names, *(o for s in pipeline.steps for o in s.outputs)):
        if not _NAME.fullmatch(name):
            raise InputError(
                f"'{name}' is not a valid name of a pipeline, step or output",
                where=f"pipeline '{pipeline.name}'",
                hint="1 to 40 lower case letters, digits and -, starting with a letter",
            )
    for what, listed in (("step", names), ("parameter", [p.name for p in pipeline.parameters])):
        twice = sorted({name for name in listed if listed.count(name) > 1})
        if twice:
            raise InputError(f"{what} '{twice[0]}' is duplicated", where=pipeline.name)
    if not pipeline.steps:
        raise InputError(f"pipeline '{pipeline.name}' has no steps")


def _check_wiring(pipeline: Pipeline) -> None:
    known = {step.name: step for step in pipeline.steps}
    for step in pipeline.steps:
        for parameter in step.parameters:
            pipeline.parameter(parameter)
        for name, source in step.inputs.items():
            if name in step.parameters:
                # KFP keeps both in one table
                raise InputError(f"step '{step.name}' has '{name}' as an input and a parameter")
            if source.step not in known or source.output not in known[source.step].outputs:
                raise InputError(
                    f"input '{name}' of step '{step.name}' has no source",
                    where=f"{source.step}.{source.output}",
                )
        for name in step.after:
            pipeline.step(name)
    if pipeline.exclusive is not None:
        pipeline.parameter(pipeline.exclusive)
    if pipeline.metrics is not None:
        pipeline.content(pipeline.metrics)


def _ordered(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    waiting, done = list(steps), list[Step]()
    while waiting:
        ready = next(_ready(waiting, {step.name for step in done}), None)
        if ready is None:
            names = ", ".join(step.name for step in waiting)
            raise InputError(f"these steps depend on each other: {names}")
        waiting.remove(ready)
        done.append(ready)
    return tuple(done)


def _ready(waiting: list[Step], done: set[str]) -> Iterator[Step]:
    return (step for step in waiting if done.issuperset(step.needs))
