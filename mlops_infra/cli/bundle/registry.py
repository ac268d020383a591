"""Options with which commands of `bundle` reach registries."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)
_registries = click.option(
    "--registries",
    type=_PATH,
    metavar="FILE",
    help="Per-host settings: mirrors, CA certificates, client certificates.",
)
_ca = click.option(
    "--ca",
    type=_PATH,
    metavar="PEM",
    help="CA certificates of the site, for every download and push.",
)


def registry_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--registries`, `--ca` and `--plain-http HOST`, passed on as `settings: Settings`."""

    @_registries
    @_ca
    @click.option(
        "--plain-http", multiple=True, metavar="HOST", help="Registry without TLS; repeatable."
    )
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        registries: Path | None,
        ca: Path | None,
        plain_http: tuple[str, ...],
        **more: Any,
    ) -> Any:
        from mlops_infra.transport.trust import trusting
        from offline_bundle.registry import load

        with trusting(ca):
            settings = load(registries, plain_http=plain_http)
            return function(*args, settings=settings, **more)

    return wrapped


def site_registry(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--registry` with `--plain-http` for it, passed on as `registry` and `settings`."""

    @click.option(
        "--registry", required=True, metavar="HOST[/PREFIX]", help="Registry of the site."
    )
    @_registries
    @_ca
    @click.option("--plain-http", is_flag=True, help="Use --registry without TLS.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        registry: str,
        registries: Path | None,
        ca: Path | None,
        plain_http: bool,
        **more: Any,
    ) -> Any:
        from mlops_infra.transport.trust import trusting
        from offline_bundle.registry import load

        hosts = (registry.partition("/")[0],) if plain_http else ()
        with trusting(ca):
            settings = load(registries, plain_http=hosts)
            return function(*args, registry=registry, settings=settings, **more)

    return wrapped
