"""How a step is called, in the same words on every engine.

::

    mlops-infra step ENTRY --pipeline NAME --step NAME --run ID
        -p name=value --in name=PLACE --out name=PLACE [--code PLACE --code-sha256 HEX]

A place is a path or an `s3://` URL. Each engine fills in its own placeholders through `Words`.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Step

T = TypeVar("T", covariant=True)
PROGRAM = "mlops-infra"


class Words(Protocol[T]):
    """The placeholders of one engine; each call gives one argument of the command."""

    def text(self, text: str) -> T:
        """A fixed word."""

    def parameter(self, name: str) -> T:
        """`name=<the value in this run>`."""

    def input(self, step: Step, name: str) -> T:
        """`name=<place that the step reads>`."""

    def output(self, step: Step, name: str) -> T:
        """`name=<place that the step writes>`."""

    def run(self) -> T:
        """The id of this run."""


def arguments(
    pipeline: Pipeline, step: Step, words: Words[T], *, code: str | None = None
) -> list[T]:
    """What comes after `mlops-infra` on the command line of `step`; `code` is its place."""
    said = [words.text(word) for word in ("step", step.entry, "--pipeline", pipeline.name)]
    said += [words.text("--step"), words.text(step.name), words.text("--run"), words.run()]
    for name in step.parameters:
        said += [words.text("-p"), words.parameter(name)]
    for name in step.inputs:
        said += [words.text("--in"), words.input(step, name)]
    for name in step.outputs:
        said += [words.text("--out"), words.output(step, name)]
    if pipeline.code is not None and code is not None:
        said += [words.text("--code"), words.text(code)]
        said += [words.text("--code-sha256"), words.text(pipeline.code.sha256)]
    if pipeline.commit:
        said += [words.text("--commit"), words.text(pipeline.commit)]
    return said
