"""`mlops-infra bundle install` and `remove`: a machine of the closed network made ready."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.install import Installed

_ROOT = click.option(
    "--root",
    type=bundle_options.FOLDER,
    required=True,
    metavar="ROOT",
    help="Folder of the installation: everything is below it.",
)


@click.command()
@bundle_options.folders
@_ROOT
@click.option(
    "--key",
    type=bundle_options.FILE,
    metavar="PUB",
    help="Public key (PEM) that the bundle has to be signed with.",
)
@click.option(
    "--base",
    multiple=True,
    type=bundle_options.BUNDLE,
    metavar="DIR",
    help="The bundle that a difference was made against; its volumes, one by one.",
)
@click.option("--copy", is_flag=True, help="Copy all, so that the medium can be taken away.")
@click.option(
    "--python",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="PATH",
    help="Interpreter of the virtual environment; this program's own else.",
)
@click.option(
    "--registry",
    metavar="HOST[/PREFIX]",
    help="Where nodes pull from: the site's registry, or the address of `bundle serve`.",
)
@click.option("--ca", type=bundle_options.FILE, metavar="PEM", help="Authorities of --registry.")
@click.option("--plain-http", is_flag=True, help="--registry is read without TLS.")
@options.as_json
def install(
    folders: tuple[Path, ...],
    root: Path,
    key: Path | None,
    base: tuple[Path, ...],
    copy: bool,
    python: Path | None,
    registry: str | None,
    ca: Path | None,
    plain_http: bool,
    as_json: bool,
) -> None:
    """Lay a bundle, or its volumes in any order, down below ROOT.

    Programs, plugins, charts and a virtual environment with this program, from the bundle alone.
    The bundle is verified first; nothing is written where the disk has no room for all of it. A
    release is taken into use by one rename: whatever stops an installation, the one before is in
    use, and the same command again goes on. Read ROOT/environment before you work with it.
    """
    from offline_bundle.install import Wanted
    from offline_bundle.install import install as run
    from offline_bundle.install.redirects import mirror
    from offline_bundle.verify import verify
    from offline_bundle.volumes import open_source

    sink = sink_for(as_json)
    authorities = ca.absolute() if ca else None
    to = mirror(registry, ca=authorities, plain_http=plain_http) if registry else None
    wanted = Wanted(root, copy=copy, python=python, mirror=to)
    verify(folders, key=key, base=base, sink=sink).require_clean()
    installed = run(open_source(folders, base=base), wanted, sink)
    if as_json:
        output.document(installed)
    else:
        _show(installed)


@click.command()
@_ROOT
@options.as_json
def remove(root: Path, as_json: bool) -> None:
    """Take an installation away, and nothing that is not part of one.

    The bundle itself stays where it lies, unless the installation has copied it.
    """
    from offline_bundle.install import remove as run

    was_there = run(root)
    if as_json:
        output.document({"root": root, "removed": was_there})
    else:
        output.text(f"{root}: removed" if was_there else f"{root}: nothing was installed there")


def _show(installed: Installed) -> None:
    if installed.unchanged:
        output.text(f"{installed.root}: this release is installed already, nothing was changed")
    else:
        output.text(f"{installed.root}: release {installed.release}")
        for name in ("programs", "plugins", "charts", "upstreams"):
            if found := getattr(installed, name):
                output.text(f"{name}: {', '.join(found)}")
    output.text(f"next: . {installed.environment}")
