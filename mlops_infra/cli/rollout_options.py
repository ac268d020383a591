"""Options that `promote` and `move` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any] | click.Command)
_ENGINES = ("kserve", "seldon-core")


def tenant(function: _F) -> _F:
    """`-t/--tenant`, passed on as `tenant: str`."""
    return click.option(
        "-t", "--tenant", required=True, metavar="NAME", help="Tenant of the endpoint."
    )(function)


def engine(name: str, help: str) -> Callable[[_F], _F]:  # noqa: A002 - click's own word
    """One of the components that serve models, as configured where the option is not given."""
    return click.option(name, type=click.Choice(_ENGINES), help=f"{help} (default: as configured).")


def seconds(name: str, default: float, help: str) -> Callable[[_F], _F]:  # noqa: A002
    """A duration or time limit."""
    return click.option(name, default=default, show_default=True, help=help)


champion_seconds = seconds(
    "--champion-seconds", 20.0, "Time in which a new champion that fails is rolled back, seconds."
)
ready_seconds = seconds(
    "--ready-seconds", 300.0, "Time limit for the start of each server, seconds."
)
