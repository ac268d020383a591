"""`mlops-infra bundle serve`: a registry and an index straight from the bundle, read-only."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_infra.cli import options, output, render

_PATH = click.Path(path_type=Path)


@click.command(name="serve")
@click.argument("folders", nargs=-1, required=True, metavar="DIR...", type=_PATH)
@click.option("--key", type=_PATH, metavar="PUB", help="Public key the bundle has to be signed by.")
@click.option("--base", type=_PATH, multiple=True, metavar="DIR", help="Base of a difference.")
@click.option("--partial", is_flag=True, help="Serve what lies on the volumes that are given.")
@click.option(
    "--listen",
    default="127.0.0.1:5080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where to listen; a port of 0 takes any that is free.",
)
@click.option("--cert", type=_PATH, metavar="PEM", help="Certificate for TLS.")
@click.option("--cert-key", type=_PATH, metavar="PEM", help="Its private key.")
@click.option("--plain-http", is_flag=True, help="Allow others to read without TLS.")
@click.option("--accounts", type=_PATH, metavar="FILE", help="Lines of name:password, mode 0600.")
@click.option("--log", "logged", is_flag=True, help="One line on stderr for every request.")
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

    Below /v2/ a registry for pulling, below /simple/ a package index, below /plugins/ a download
    server for `pulumi plugin install --server`, and every other file under its own path. The seal
    is checked, and every file hashed, before the first answer.
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
