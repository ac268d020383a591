"""`mlops-infra bundle serve`: a registry and an index straight from the bundle, read-only."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output, render

_PATH = click.Path(path_type=Path)


@click.command(name="serve")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=_PATH)
@click.option("--key", type=_PATH, metavar="PUB", help="Public key of the bundle's signature.")
@click.option(
    "--base", type=_PATH, multiple=True, metavar="DIR", help="Base bundle of a differential bundle."
)
@click.option("--partial", is_flag=True, help="Serve the content of the given volumes only.")
@click.option(
    "--listen",
    default="127.0.0.1:5080",
    show_default=True,
    metavar="HOST:PORT",
    help="Address to listen on; port 0 takes any free port.",
)
@click.option("--cert", type=_PATH, metavar="PEM", help="TLS certificate.")
@click.option("--cert-key", type=_PATH, metavar="PEM", help="Private key of the certificate.")
@click.option("--plain-http", is_flag=True, help="Serve without TLS.")
@click.option(
    "--accounts", type=_PATH, metavar="FILE", help="File of name:password lines, mode 0600."
)
@click.option("--log", "logged", is_flag=True, help="Log every request on stderr.")
@options.as_json
def command(
    folders: tuple[Path, ...],
    key: Path | None,
    base: tuple[Path, ...],
    partial: bool,
    listen: str,
    cert: Path | None,
    cert_key: Path | None,
    plain_http: bool,
    accounts: Path | None,
    logged: bool,
    as_json: bool,
) -> None:
    """Serve the bundle in DIR (or in all its volumes) over HTTP, until Ctrl-C.

    /v2/ is a read-only registry, /simple/ a package index, /plugins/ a server for `pulumi plugin
    install --server`; every other file is under its own path. The signature and all hashes are
    checked before the first response.
    """
    from offline_bundle.serve import Door, Server, listen_address, opened

    host, port = listen_address(listen)
    door = Door(host, port, cert, cert_key, plain_http)
    sink = render.sink_for(as_json)
    site = opened(folders, key=key, base=base, partial=partial, accounts=accounts, sink=sink)
    with Server(site, door, _log if logged else None) as server:
        _tell(server.url, site.source.identity, len(site.catalogue.repositories), as_json)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return  # how a server ends; what is under way is finished first


def _log(line: str) -> None:
    click.echo(line, err=True)


def _tell(url: str, identity: str, repositories: int, as_json: bool) -> None:
    if as_json:
        output.document({"url": url, "bundle": identity, "repositories": repositories})
    else:
        output.text(f"serving {repositories} repositories on {url}")
        output.text(f"  registry   {url}/v2/")
        output.text(f"  wheels     {url}/simple/")
        output.text(f"  plugins    {url}/plugins/")
        output.text(f"  health     {url}/healthz")
