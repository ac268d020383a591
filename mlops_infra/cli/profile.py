"""What `status` and `verify` mean on a profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.verify.platform import Report


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` was asked for; each option belongs to one profile."""

    clean: bool = False
    """Take away what the verification has made."""
    core: bool = False
    """Stores, tracking and registry only."""
    model: str | None = None
    """`TENANT/MODEL` to go through its whole life."""
    sample: Path | None = None
    """A request for the first endpoint."""


class ProfileCommands(Protocol):
    """The commands that a profile answers in its own way, for one open stack."""

    def status(self, *, drift: bool, page: Path | None, as_json: bool) -> Sequence[str]:
        """Print the state of the platform and return what is wrong with it.

        Args:
            drift: compare the whole configuration too.
            page: file for a page in HTML.
            as_json: print one JSON document.

        Raises:
            InputError: the profile has no such option, or the stack is not up.
        """

    def verify(self, asked: Verification) -> Report:
        """Go through the platform's loop once.

        Raises:
            InputError: the profile has no such option, or the stack is not up.
        """


def refuse_options(profile: str, given: dict[str, bool]) -> None:
    """Refuse the options that a profile does not read.

    Args:
        profile: its name.
        given: whether each of them was given, by its spelling.

    Raises:
        InputError: naming those that were.
    """
    if named := [option for option, was_given in given.items() if was_given]:
        raise InputError(
            f"profile {profile} has no {', '.join(named)}", hint="leave the option out"
        )
