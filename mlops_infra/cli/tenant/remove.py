"""`mlops-infra tenant remove`: how a tenant leaves."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output
from mlops_infra.errors import InputError


@click.command()
@options.stack
@options.file
@click.argument("name")
@options.as_json
def remove(stack: str, file: Path | None, name: str, as_json: bool) -> None:
    """Remove a tenant from the stack file; the next `up` removes the tenant itself.

    Its namespace is deleted with everything in it. `onRemoval`, as of the last `up`, decides about
    its bucket and rows: archive keeps them, purge deletes them. This command only changes the
    tenant's lines in the file and adds the tenant to `allowRemoval`; `preview` shows what is lost.
    """
    from mlops_infra.config import load, stack_file, with_removal, without_tenant

    target = file or stack_file(stack)
    config = load(target)
    if name not in config.tenants:
        raise InputError(
            f"no such tenant: '{name}'",
            where=str(target),
            hint=f"mlops-infra tenant list -s {stack}",
        )
    text = without_tenant(target.read_text(encoding="utf-8"), name, where=str(target))
    _written(target, with_removal(text, f"tenant/{name}", where=str(target)))
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
