"""Shows how the promotion or the move of a model ended."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.lifecycle.promotion.policy import Decision


def show(decision: Decision, *, as_json: bool) -> None:
    """Print it as a table or a document."""
    if as_json:
        output.document(asdict(decision))
        return
    output.table(
        ("endpoint", "version", "outcome", "champion now", "numbers", "why"),
        [
            (
                f"{decision.tenant}/{decision.model}",
                decision.version,
                decision.outcome,
                decision.champion,
                " ".join(f"{k}={v:g}" for k, v in decision.numbers.items()) or None,
                decision.reason or None,
            )
        ],
    )
