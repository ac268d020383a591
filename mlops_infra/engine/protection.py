"""Refuses a plan that would lose something stateful, before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mlops_infra.engine.events import Change
from mlops_infra.errors import InputError
from mlops_infra.plan.stateful import stateful_object

_LOSING = frozenset({"replace", "create-replacement", "delete-replaced", "delete"})


def losses(changes: Iterable[Change], allow_replace: Sequence[str]) -> list[tuple[str, Change]]:
    """Stateful objects that the changes replace or delete and the configuration does not let go."""
    found: dict[str, Change] = {}
    for change in changes:
        if change.op not in _LOSING:
            continue
        # What is lost is the old object; a new one may not be marked as stateful any more.
        lost = stateful_object(change.type, change.old or change.new)
        if lost is None or lost.allowed(allow_replace):
            continue
        if lost.kind == "Secret" and change.op == "delete":
            continue  # the seed makes the same one again; only another value locks somebody out
        # a replacement is told in three steps, and not every one says what forces it
        if str(lost) not in found or change.keys:
            found[str(lost)] = change
    return list(found.items())


def refuse_losses(changes: Iterable[Change], allow_replace: Sequence[str], stack: str) -> None:
    """Raise where `losses` finds any.

    Raises:
        InputError: naming each object, what forces it, and the key that would allow it.
    """
    found = losses(changes, allow_replace)
    if not found:
        return
    told = [f"{name} ({_why(change)})" for name, change in found]
    keys = ", ".join(name for name, _ in found)
    raise InputError(
        f"nothing was changed: this would lose data by replacing or deleting {'; '.join(told)}",
        where=f"stacks/Pulumi.{stack}.yaml",
        hint="undo the change, or back the data up and allow it: "
        f"mlops-infra:allowReplace: [{keys}]",
    )


def refuse_together(*judges: Callable[[], None]) -> None:
    """Raise what several judges refuse as one error, so that one edit answers all of it.

    Raises:
        InputError: what one of them raises, or all of it together.
    """
    found: list[InputError] = []
    for judge in judges:
        try:
            judge()
        except InputError as error:
            found.append(error)
    if len(found) == 1:
        raise found[0]
    if found:
        raise InputError(
            "\n".join(each.what for each in found),
            where=found[0].where,
            hint="; ".join(each.hint for each in found if each.hint),
        )


def _why(change: Change) -> str:
    if change.op == "delete":
        return "deleted: the configuration no longer has it"
    keys = ", ".join(change.keys)
    return f"replaced: {keys} cannot be changed in place" if keys else "replaced"
