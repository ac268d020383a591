"""Options with which commands of `bundle` reach registries."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


def registry_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--registries`, `--ca` and `--plain-http`, passed on together as `settings: Settings`."""

    @click.option(
        "--registries",
        type=_PATH,
        metavar="FILE",
        help="Per-host settings: mirrors, authorities, client certificates.",
    )
    @click.option("--ca", type=_PATH, metavar="PEM", help="The site's authorities, for every host.")
    @click.option("--plain-http", multiple=True, metavar="HOST", help="A registry that has no TLS.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        registries: Path | None,
        ca: Path | None,
        plain_http: tuple[str, ...],
        **more: Any,
    ) -> Any:
        from offline_bundle.registry import load

        settings = load(registries, plain_http=plain_http, ca=ca)
        return function(*args, settings=settings, **more)

    return wrapped
