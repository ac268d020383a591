"""Where images are taken from in the place of the registries that they are named by.

`$MLOPS_INFRA_REGISTRIES` names a folder as containerd reads it, `<host>/hosts.toml`; `_default`
stands for all other hosts. The first `[host."URL"]` of a file counts, else its `server`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlops_infra.errors import InputError
from offline_bundle.references import Reference, parse
from offline_bundle.registry import Host, Settings

_ALL = "_default"


@dataclass(frozen=True, slots=True)
class _Mirror:
    host: str
    prefix: str
    """Path within the registry, without slashes around it; may be empty."""


@dataclass(frozen=True, slots=True)
class Mirrors:
    """How each image is reached."""

    settings: Settings = field(default_factory=Settings)
    hosts: Mapping[str, _Mirror] = field(default_factory=dict)
    own: frozenset[str] = frozenset()
    """Registries of the site, which a closed network may ask."""
    closed: bool = False
    """Whether nothing but mirrors and the site's registries is asked."""

    def source(self, reference: str) -> Reference | None:
        """Where the image is taken from; None where a closed network lets nobody ask.

        Raises:
            InputError: that is not a reference.
        """
        named = parse(reference)
        mirror = self.hosts.get(named.host, self.hosts.get(_ALL))
        if mirror is None:
            return None if self.closed and named.host not in self.own else named
        path = f"{mirror.prefix}/{named.path}" if mirror.prefix else named.path
        return replace(named, host=mirror.host, path=path)


def read_mirrors(folder: Path | None, settings: Settings | None = None) -> Mirrors:
    """What a folder of `hosts.toml` files says, beside `settings`.

    Raises:
        InputError: a file cannot be read, or turns the check of certificates off.
    """
    found = settings or Settings()
    hosts: dict[str, _Mirror] = {}
    reached = dict(found.hosts)
    for file in sorted(folder.glob("*/hosts.toml")) if folder else ():
        url, options = _first(file)
        parts = urlsplit(url)
        path = parts.path.strip("/") if options.get("override_path") else ""
        hosts[file.parent.name] = _Mirror(parts.netloc, path.removeprefix("v2").strip("/"))
        ca = options.get("ca")
        reached.setdefault(
            parts.netloc,
            Host(ca=ca if isinstance(ca, str) else None, plain_http=parts.scheme == "http"),
        )
    return Mirrors(replace(found, hosts=reached), hosts)


def _first(file: Path) -> tuple[str, Mapping[str, Any]]:
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
        entries = raw.get("host") or {raw["server"]: {}}
        url, options = next(iter(entries.items()))
        wrong = "turns the check of certificates off" if options.get("skip_verify") else None
        wrong = wrong or (None if "://" in url else f"names no URL: {url}")
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        wrong = f"cannot be read: {error}"
        url, options = "", {}
    if wrong:
        hint = 'write for example: [host."https://MIRROR"]'
        raise InputError(
            f"the settings of a registry's mirror: {wrong}", where=str(file), hint=hint
        )
    return url, options
