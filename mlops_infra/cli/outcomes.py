"""How `up`, `preview` and `outputs` show what they found, to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.engine import Outcome
    from mlops_infra.plan.images.reality import ComponentPods

_SHOWN = 60
"""Changes listed before the rest is only counted."""


def show(outcome: Outcome, *, planned: bool = False) -> None:
    """The changes, the notes and the outputs of one run; of a plan also which Pods are real."""
    if planned and outcome.pods:
        show_pods(outcome.pods)
        output.text()
    if outcome.changes:
        rows = [(each["op"], each["kind"], each["name"], _keys(each)) for each in outcome.changes]
        output.table(("operation", "kind", "name", "because of"), rows[:_SHOWN])
        if len(rows) > _SHOWN:
            output.text(f"and {len(rows) - _SHOWN} more: --json lists them all")
        output.text()
    counts = ", ".join(f"{number} {op}" for op, number in outcome.counts.items())
    verb = "would change" if planned else "changed"
    output.text(f"{verb}: {counts or '0, everything matches the stack'}")
    for note in outcome.notes:
        output.text(f"note: {note}")
    if outcome.outputs and not planned:
        output.text()
        show_outputs(outcome.outputs)


def show_pods(found: Iterable[ComponentPods]) -> None:
    """Why Pods are real or simulated, each reason once with the components that it holds for."""
    reasons: dict[str, list[str]] = {}
    for each in found:
        if each.pods != "none":
            reasons.setdefault(str(each), []).append(each.component)
    rows = [(reason, ", ".join(names)) for reason, names in reasons.items()]
    output.table(("pods", "components"), rows)


def show_outputs(outputs: Mapping[str, Any]) -> None:
    """The platform contract as a table; what is removed is `-`."""
    rows = [(name, _value(value)) for name, value in outputs.items()]
    output.table(("output", "value"), rows)


def _value(value: Any) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    return value


def _keys(change: Mapping[str, Any]) -> str | None:
    return ", ".join(change.get("keys") or ()) or None
