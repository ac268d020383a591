"""`mlops-infra bundle install` and `remove`: a machine of the closed network made ready."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import bundle_options, options, output
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.install import Installed

_ROOT = click.option(
    "--root",
    type=bundle_options.FOLDER,
    required=True,
    metavar="ROOT",
    help="Folder of the installation.",
)


@click.command()
@bundle_options.folders
@_ROOT
@click.option(
    "--key",
    type=bundle_options.FILE,
    metavar="PUB",
    help="Public key (PEM) of the bundle's signature.",
)
@click.option(
    "--base",
    multiple=True,
    type=bundle_options.BUNDLE,
    metavar="DIR",
    help="Base bundle of a differential bundle; repeatable, once per volume.",
)
@click.option("--copy", is_flag=True, help="Copy the bundle, so that the medium can be removed.")
@click.option(
    "--python",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    metavar="PATH",
    help="Interpreter of the virtual environment (default: this program's).",
)
@click.option(
    "--registry",
    metavar="HOST[/PREFIX]",
    help="Registry that nodes pull from: the site's, or the address of `bundle serve`.",
)
@click.option(
    "--ca", type=bundle_options.FILE, metavar="PEM", help="CA certificates of --registry."
)
@click.option("--plain-http", is_flag=True, help="Use --registry without TLS.")
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
    """Install a bundle, or its volumes in any order, below ROOT.

    Installs programs, plugins, charts and a virtual environment with this program from the bundle
    alone. The bundle is verified and the disk space checked first. A release is activated by one
    rename: after an interruption the previous release is still active, and the same command
    continues. Source ROOT/environment before you use it.
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
    """Remove an installation, and nothing that is not part of one.

    The bundle stays where it is, unless the installation has copied it.
    """
    from offline_bundle.install import remove as run

    was_there = run(root)
    if as_json:
        output.document({"root": root, "removed": was_there})
    else:
        output.text(f"{root}: removed" if was_there else f"{root}: nothing was installed there")


def _show(installed: Installed) -> None:
    if installed.unchanged:
        output.text(f"{installed.root}: this release is already installed, nothing was changed")
    else:
        output.text(f"{installed.root}: release {installed.release}")
        for name in ("programs", "plugins", "charts", "upstreams"):
            if found := getattr(installed, name):
                output.text(f"{name}: {', '.join(found)}")
    output.text(f"next: . {installed.environment}")
