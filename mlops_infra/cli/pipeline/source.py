"""What the commands of `mlops-infra pipeline` share: which pipeline, with which values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value

_F = TypeVar("_F", bound=Callable[..., Any])
SUFFIXES = (".py", ".ipynb")


def parameters_option(function: _F) -> _F:
    """`-p name=value`, passed on as `parameters: tuple[str, ...]`."""
    return click.option(
        "-p",
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Pipeline parameter; repeatable.",
    )(function)


def code_option(function: _F) -> _F:
    """`--code PLACE`, passed on as `code: str | None`."""
    return click.option(
        "--code", metavar="PLACE", help="For a file: s3:// URL of its code at run time."
    )(function)


def pipeline_of(name: str) -> Pipeline:
    """A pipeline of the kit by name, or the one that a file holds.

    Raises:
        InputError: there is neither.
        FoundError: the file has mistakes.
    """
    from dataclasses import replace

    from mlops_infra.lifecycle.pipeline.definition.standard import standard
    from mlops_infra.lifecycle.pipeline.source.file import read
    from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
    from mlops_infra.lifecycle.pipeline.submission.commits import commit_here, commit_of

    if not name.endswith(SUFFIXES):
        return replace(standard(name), asked_from=commit_here())
    file = Path(name)
    return compile_file(read(file), commit=commit_of(file))


def values_of(pipeline: Pipeline, parameters: tuple[str, ...]) -> dict[str, Value]:
    """The values of a run: what `-p` gives, else the defaults."""
    from mlops_infra.lifecycle.pipeline.definition.arguments import from_text

    return from_text(parameters, pipeline)
