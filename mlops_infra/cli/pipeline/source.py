"""What the commands of `mlops-infra pipeline` share: which pipeline, with which values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.definition.model import Pipeline, Value
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy

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


def pipeline_of(name: str, tenancy: Callable[[], Tenancy] | None = None) -> Pipeline:
    """A pipeline of the kit by name, the one that a file holds, or one that a tenant published.

    Args:
        name: `NAME`, `FILE`, or `NAME@VERSION`.
        tenancy: opens the tenant, where the name is of no built-in pipeline and of no file.

    Raises:
        InputError: there is none of them.
        FoundError: the file has mistakes.
    """
    from dataclasses import replace

    from mlops_infra.lifecycle.pipeline.definition.standard import is_standard, standard
    from mlops_infra.lifecycle.pipeline.source.file import read
    from mlops_infra.lifecycle.pipeline.source.user_pipeline import compile_file
    from mlops_infra.lifecycle.pipeline.submission.commits import commit_here, commit_of

    if name.endswith(SUFFIXES):
        file = Path(name)
        return compile_file(read(file), commit=commit_of(file))
    if tenancy is not None and not is_standard(name) and (opened := tenancy()).around.bucket:
        from mlops_infra.lifecycle.pipeline.submission import published

        return published.read(name, opened.around)
    return replace(standard(name), asked_from=commit_here())


def values_of(pipeline: Pipeline, parameters: tuple[str, ...]) -> dict[str, Value]:
    """The values of a run: what `-p` gives, else the defaults."""
    from mlops_infra.lifecycle.pipeline.definition.arguments import from_text

    return from_text(parameters, pipeline)
