"""Install and list the pinned programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from mlops_infra.toolchain import Listed


@click.group(name="toolchain")
def command() -> None:
    """Install and list the pinned programs.

    Each comes from the first source with exactly the pinned version: PATH, the cache, an offline
    bundle, the project's release archive (checked against a pinned hash), the Go module.
    """


@command.command()
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@click.option(
    "--bundle",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    envvar="MLOPS_INFRA_BUNDLE",
    show_envvar=True,
    metavar="FOLDER",
    help="Unpacked offline bundle to take binaries from.",
)
@options.as_json
def install(names: tuple[str, ...], bundle: Path | None, as_json: bool) -> None:
    """Find, fetch or build the tools NAMES, or all of them."""
    from mlops_infra import toolchain

    toolchain.ensure(names, sink_for(as_json), bundle_folder=bundle)
    _show(toolchain.listing(names), as_json)


@command.command(name="list")
@click.argument("names", nargs=-1, metavar="[NAMES]...")
@options.as_json
def list_(names: tuple[str, ...], as_json: bool) -> None:
    """Show each tool with its version, path and source, without fetching anything."""
    from mlops_infra import toolchain

    _show(toolchain.listing(names), as_json)


@command.command()
@options.as_json
def prune(as_json: bool) -> None:
    """Remove Go's caches and downloads, which only builds need. The tools stay."""
    from mlops_infra import toolchain

    freed = toolchain.prune(sink_for(as_json))
    if as_json:
        output.document({"freedBytes": freed})
    else:
        output.text(f"freed {freed >> 20} MiB")


def _show(rows: tuple[Listed, ...], as_json: bool) -> None:
    if as_json:
        output.document([row.as_dict() for row in rows])
        return
    output.table(
        ("tool", "version", "source", "came from", "MiB", "path"),
        [
            (
                row.name,
                row.version,
                row.source or "missing",
                row.origin,
                None if row.size is None else row.size >> 20,
                row.path,
            )
            for row in rows
        ],
    )
    for row in rows:
        for reason in row.passed_over:
            output.text(f"{row.name}: skipped {reason}")
    if missing := [row.name for row in rows if row.source is None]:
        output.text(f"{len(missing)} missing; mlops-infra toolchain install {' '.join(missing)}")
