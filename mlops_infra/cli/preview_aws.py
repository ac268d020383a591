"""`preview --cost` and `preview --permissions`: two questions about a stack of the aws profile."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_infra.cli import output

if TYPE_CHECKING:
    from mlops_infra.plan.aws.cost import Estimate, Line


def show_cost(stack: str, file: Path | None, *, as_json: bool) -> None:
    """Print the estimate."""
    from mlops_infra import engine
    from mlops_infra.plan.aws.cost import estimate

    region, resources = engine.graph_of(stack, file)
    found = estimate(((each.type, each.name, each.inputs) for each in resources), region)
    if as_json:
        output.document({"stack": stack, **found.as_dict()})
        return
    _tell(stack, found)


def show_permissions(stack: str, file: Path | None) -> None:
    """Print the policies; the same with and without `--json`, for a policy is JSON."""
    from mlops_infra import engine
    from mlops_infra.config import load, stack_file
    from mlops_infra.plan.aws.names import names_of
    from mlops_infra.plan.aws.permissions import policies

    _, resources = engine.graph_of(stack, file)
    names = names_of(load(file or stack_file(stack)), stack)
    output.document(policies((each.type for each in resources), names).as_dict())


def _tell(stack: str, found: Estimate) -> None:
    output.text(
        f"{stack}, {found.region}: list prices as of {found.written}, without taxes, "
        "discounts and free tiers"
    )
    output.text()
    from mlops_infra.plan.aws.cost import REFERENCE

    here = found.region == REFERENCE
    columns = ["resource", "name", "what", "a month"]
    columns += [] if here else [f"in {REFERENCE}"]
    rows = [
        [
            each.type.rpartition(":")[2],
            each.name,
            each.note or each.item,
            _sum(each, each.price, each.monthly),
            *([] if here else [_sum(each, each.reference_price, each.reference_monthly)]),
        ]
        for each in found.lines
    ]
    output.table(columns, rows)
    output.text()
    output.text(f"priced in {found.region}: {found.monthly:.2f} USD a month, paid by time")
    if not here:
        output.text(
            f"the same at the prices of {REFERENCE}: {found.reference_monthly:.2f} USD "
            "(yours differ)"
        )
    _tell_unknown(found)


def _tell_unknown(found: Estimate) -> None:
    if found.unpriced:
        output.text(f"unknown: {len(found.unpriced)} lines have no price in {found.region}")
    if found.unknown:
        kinds = ", ".join(f"{n} {t.rpartition(':')[2]}" for t, n in found.unknown.items())
        output.text(f"unknown: this release has no price for {kinds}")
    unchecked = sum(1 for each in found.lines if each.price is not None and not each.checked)
    if unchecked:
        output.text(f"not verified against a published list: {unchecked} prices")
    output.text(f"without a price of their own: {found.free} resources")


def _sum(line: Line, price: float | None, monthly: float | None) -> str:
    if price is None:
        return "unknown"
    if monthly is not None:
        return f"{monthly:.2f} USD"
    times = f"{line.quantity:g} x " if line.quantity != 1 else ""
    amount = f"{price:.6f}".rstrip("0").rstrip(".")
    return f"{times}{amount} USD a {line.unit}"
