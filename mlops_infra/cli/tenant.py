"""`mlops-infra tenant`: who shares the platform, and how one of them leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for
from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.config import StackConfig


@click.group()
def command() -> None:
    """List the tenants of a stack, or remove one from its file."""


@command.command("list")
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
    from mlops_infra.config import load, stack_file

    sink = sink_for(as_json)
    config = load(file or stack_file(stack))
    deployed = _deployed(stack, file)
    rows = [_row(name, config, name in deployed) for name in sorted({*config.tenants, *deployed})]
    if archived:
        from mlops_infra.backup import archived_tenants, open_stores
        from mlops_infra.engine import open_engine

        access = open_stores(stack, config, open_engine(stack, file, sink), sink)
        known = {row["name"] for row in rows}
        for name, objects in archived_tenants(access, known):
            rows.append({**_row(name, config, False), "state": "archived", "objects": objects})
    if as_json:
        output.document({"stack": stack, "tenants": rows})
        return
    columns = ("name", "state", "owner", "members", "models", "onRemoval")
    output.table(columns, [[_cell(row[column]) for column in columns] for row in rows])


@command.command()
@options.stack
@options.file
@click.argument("name")
@options.as_json
def remove(stack: str, file: Path | None, name: str, as_json: bool) -> None:
    """Remove a tenant from the stack file; the next `up` removes the tenant itself.

    Its namespace is deleted with everything in it. `onRemoval`, as of the last `up`, decides about
    its bucket and rows: archive keeps them, purge deletes them. This command only changes the
    tenant's lines in the file.
    """
    from mlops_infra.config import load, stack_file, without_tenant

    target = file or stack_file(stack)
    config = load(target)
    if name not in config.tenants:
        raise InputError(
            f"there is no tenant '{name}'",
            where=str(target),
            hint=f"mlops-infra tenant list -s {stack}",
        )
    _written(target, without_tenant(target.read_text(encoding="utf-8"), name, where=str(target)))
    wish = config.tenants[name].on_removal
    following = f"mlops-infra up -s {stack}"
    if as_json:
        told = {"stack": stack, "tenant": name, "file": str(target), "onRemoval": wish}
        output.document({**told, "next": following})
        return
    fate = "kept" if wish == "archive" else "deleted"
    output.text(f"tenant {name} was removed from {target}")
    output.text(f"next: {following}")
    output.text(f"deletes its namespace; its bucket and rows are {fate} (onRemoval: {wish})")


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


def _written(file: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all, once it is a configuration."""
    import shutil

    from mlops_infra.config import load

    target = file.resolve()
    fresh = target.with_name(f".{target.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        shutil.copymode(target, fresh)
        load(fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
