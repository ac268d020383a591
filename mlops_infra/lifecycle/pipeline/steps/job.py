"""What one step is given when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_infra.errors import InputError
from mlops_infra.lifecycle.data import storage
from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Step, Value
from mlops_infra.lifecycle.pipeline.steps import contents
from mlops_infra.lifecycle.services.environment import Environment


@dataclass(frozen=True, slots=True)
class Job:
    """One step of one run: its values, where it reads and where it writes."""

    pipeline: Pipeline
    step: Step
    run: str
    """Id of the pipeline's run, the same in all of its steps."""
    parameters: Mapping[str, Value]
    inputs: Mapping[str, str]
    """Place of each input."""
    outputs: Mapping[str, str]
    """Place of each output."""
    around: Environment = field(default_factory=Environment)
    commit: str | None = None
    note: Callable[[str], None] = field(default=lambda _text: None, compare=False)
    """Says something to who follows the run."""

    def __post_init__(self) -> None:
        for what, wanted, given in (
            ("input", self.step.inputs, self.inputs),
            ("output", self.step.outputs, self.outputs),
            ("parameter", self.step.parameters, self.parameters),
        ):
            missing = sorted(set(wanted) - set(given))
            extra = sorted(set(given) - set(wanted))
            if missing or extra:
                raise InputError(
                    f"step '{self.step.name}' "
                    + (f"misses {what} '{missing[0]}'" if missing else "")
                    + (" and " if missing and extra else "")
                    + (f"has no {what} '{extra[0]}'" if extra else ""),
                    where=f"pipeline '{self.pipeline.name}'",
                )

    def text(self, name: str) -> str:
        """A parameter that holds text."""
        return str(self.parameters[name])

    def number(self, name: str) -> float:
        """A parameter that holds a number."""
        return float(self.parameters[name])

    def whole(self, name: str) -> int:
        """A parameter that holds a whole number."""
        return int(self.parameters[name])

    def read(self, name: str) -> bytes:
        """The bytes of an input."""
        return storage.read(self.inputs[name], self.around)

    def load(self, name: str) -> Any:
        """The value of an input: a table, a model, and so on, as the pipeline declares."""
        content = self.pipeline.content(self.step.inputs[name])
        return contents.load(content, self.read(name), self.inputs[name])
