"""A loss in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops_infra.errors import InputError
from mlops_infra.kube.survey import Found

_NAMED = 10
"""Objects of a kind that are named before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a run would take from people."""

    key: str
    """Its name in `allowRemoval`."""
    subject: str
    """What happens, such as `tenant demo is removed`."""
    lines: tuple[str, ...]
    """What goes with it, in words and numbers."""

    def __str__(self) -> str:
        return f"{self.subject}: {'; '.join(self.lines)}"


def counted(number: int, one: str, names: Iterable[str] = ()) -> str:
    """`2 models that serve (iris, wine)`; `one` has the singular and, after `|`, the plural."""
    singular, _, plural = one.partition("|")
    listed = sorted(names)
    shown = ", ".join(listed[:_NAMED])
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    told = singular if number == 1 else (plural or f"{singular}s")
    return f"{number} {told}" + (f" ({shown}{more})" if listed else "")


def by_kind(objects: Iterable[Found]) -> list[str]:
    """One line a kind: `2 InferenceService: tenant-demo/iris, tenant-demo/wine`."""
    kinds: dict[str, list[str]] = {}
    for each in objects:
        name = f"{each.namespace}/{each.name}" if each.namespace else each.name
        kinds.setdefault(each.kind, []).append(name)
    return [counted(len(names), f"{kind}|{kind}", names) for kind, names in sorted(kinds.items())]


def refuse(losses: Sequence[Loss], allowed: Sequence[str], stack: str) -> None:
    """Raise unless all is named.

    Raises:
        InputError: with every loss that is not, and the key that would allow it.
    """
    found = [each for each in losses if each.key not in allowed]
    if not found:
        return
    told = "".join(f"\n  {each}" for each in found)
    keys = ", ".join(sorted({each.key for each in losses} | set(allowed)))
    raise InputError(
        f"nothing was changed: this would take from people what they use{told}",
        where=f"stacks/Pulumi.{stack}.yaml",
        hint=f"undo the change, or allow it: mlops-infra:allowRemoval: [{keys}]",
    )
