"""`mlops-infra tenant list`: who shares the platform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig


@click.command("list")
@options.stack
@options.file
@click.option(
    "--archived", is_flag=True, help="Also list removed tenants whose bucket still exists."
)
@options.as_json
def list_(stack: str, file: Path | None, archived: bool, as_json: bool) -> None:
    """Show declared and deployed tenants.

    The state is `up`, `declared` (created by the next `up`), `leaving` (removed by the next `up`)
    or, with --archived, `archived` (removed, with its bucket and rows kept).
    """
    from mlops_infra.cli.open_stack import OpenStack

    opened = OpenStack(stack, file, sink_for(as_json))
    config = opened.config
    deployed = _deployed(stack, file)
    rows = [_row(name, config, name in deployed) for name in sorted({*config.tenants, *deployed})]
    if archived:
        from mlops_infra.backup import archived_tenants

        known = {row["name"] for row in rows}
        for name, objects in archived_tenants(opened.stores(), known):
            rows.append({**_row(name, config, False), "state": "archived", "objects": objects})
    if as_json:
        output.document({"stack": stack, "tenants": rows})
        return
    columns = ("name", "state", "owner", "members", "models", "onRemoval")
    output.table(columns, [[_cell(row[column]) for column in columns] for row in rows])


def _deployed(stack: str, file: Path | None) -> set[str]:
    """Tenants of the last `up`; none where there was none."""
    from mlops_infra import engine
    from mlops_infra.progress import quiet

    found = engine.reading(stack, file, quiet)
    return set(found.outputs().get("tenants") or ()) if found else set()


def _row(name: str, config: StackConfig, deployed: bool) -> dict[str, Any]:
    tenant = config.tenants.get(name)
    return {
        "name": name,
        "state": ("up" if deployed else "declared") if tenant else "leaving",
        "owner": tenant.owner if tenant else None,
        "members": list(tenant.members) if tenant else [],
        "models": sorted(tenant.models) if tenant else [],
        "onRemoval": tenant.on_removal if tenant else None,
    }


def _cell(value: object) -> object:
    return (", ".join(map(str, value)) or None) if isinstance(value, list) else value
