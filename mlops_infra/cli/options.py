"""Options that several commands share, and what the frame knows about this run.

::

    @click.command()
    @options.stack
    @options.as_json
    def command(stack: str, as_json: bool) -> None: ...

`-v` needs no decorator: `commands` adds it everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops_infra import contract

_F = TypeVar("_F", bound=Callable[..., Any] | click.Command)


@dataclass(slots=True)
class Session:
    """What the frame must know to tell an error in the way that was asked for."""

    as_json: bool = False
    verbose: bool = False
    answered: bool = False
    """Whether stdout already holds the result; then an error goes to stderr alone."""


def session() -> Session:
    """This run's session; a fresh one outside of a command (in tests)."""
    context = click.get_current_context(silent=True)
    found = context.find_root().obj if context else None
    return found if isinstance(found, Session) else Session()


def _set_verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    held = context.find_root().obj
    if value and isinstance(held, Session):
        held.verbose = True


def stack(function: _F) -> _F:
    """`-s/--stack`, passed on as `stack: str`."""
    return click.option(
        "-s",
        "--stack",
        metavar="NAME",
        required=True,
        envvar=contract.STACK_VARIABLE,
        show_envvar=True,
        help="Stack: NAME of stacks/Pulumi.NAME.yaml, such as sandbox.",
    )(function)


def as_json(function: _F) -> _F:
    """`--json`, passed on as `as_json: bool`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the result as one JSON document on stdout, progress as JSON lines on stderr.",
    )(function)


def file(function: _F) -> _F:
    """`--file`, passed on as `file: Path | None`."""
    return click.option(
        "--file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="PATH",
        help="Stack file (default: stacks/Pulumi.NAME.yaml).",
    )(function)


def refresh(function: _F) -> _F:
    """`--no-refresh`, passed on as `refresh: bool`."""
    return click.option(
        "--no-refresh",
        "refresh",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Rely on the state: do not look for what was deleted or changed by hand.",
    )(function)


def verbose(function: _F) -> _F:
    """`-v`: known to the frame alone, never passed on."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_set_verbose,
        help="Show the traceback of errors.",
    )(function)
