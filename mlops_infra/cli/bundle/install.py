"""`mlops-infra bundle install`: a machine of the closed network made ready."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output
from mlops_infra.cli.bundle import options as bundle_options
from mlops_infra.cli.render import sink_for

if TYPE_CHECKING:
    from offline_bundle.install import Installed


@click.command()
@bundle_options.folders
@bundle_options.root
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


def _show(installed: Installed) -> None:
    if installed.unchanged:
        output.text(f"{installed.root}: this release is already installed, nothing was changed")
    else:
        output.text(f"{installed.root}: release {installed.release}")
        for name in ("programs", "plugins", "charts", "upstreams"):
            if found := getattr(installed, name):
                output.text(f"{name}: {', '.join(found)}")
    output.text(f"next: . {installed.environment}")
