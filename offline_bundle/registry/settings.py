"""How each registry is reached; nothing is tried that is not said here.

::

    # bundle lock|build|push --registries FILE
    hosts:
      docker.io:
        mirror: https://mirror.example/dockerhub   # asked in its place, names stay as they are
      registry.example:5000:
        ca: /etc/site/ca.pem                       # beside the system's authorities
        clientCertificate: /etc/site/client.pem
        clientKey: /etc/site/client-key.pem
        plainHttp: false                           # true: http, also `--plain-http HOST`
        concurrency: 8                             # at most so many transfers; 16 where absent

Credentials are not settings: they come from Docker's configuration, see `credentials`. Names of
hosts have no case.

What is told to `bundle lock` about a host that an image comes from is written into the lock
(mirror, plain HTTP, concurrency), so that `bundle build` asks where the lock has asked.
Certificates are files of one machine: they are given to each command.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from mlops_infra.errors import InputError
from offline_bundle.model import LockedHost

MAX_CONCURRENCY = 16
SILENCE_SECONDS = 60.0
"""Without a byte for so long a connection counts as lost."""

_ENDPOINTS = {"docker.io": "registry-1.docker.io"}
"""Hosts whose registry is another host."""

_MIRROR = re.compile(r"https?://[^@/\s]+(?:/\S*)?")


@dataclass(frozen=True, slots=True)
class Host:
    """How one registry is reached."""

    mirror: str | None = None
    """Base URL, with a path prefix where the mirror wants one."""
    ca: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    plain_http: bool = False
    concurrency: int = MAX_CONCURRENCY


@dataclass(frozen=True, slots=True)
class Settings:
    """How all registries are reached."""

    hosts: Mapping[str, Host] = field(default_factory=dict)
    silence: float = SILENCE_SECONDS
    ca: str | None = None
    """PEM file with authorities for every host that has none of its own, beside the system's."""

    def host(self, name: str) -> Host:
        """How `name` is reached: as written down, else by HTTPS."""
        found = self.hosts.get(name, self.hosts.get(name.lower(), Host()))
        return replace(found, ca=found.ca or self.ca)

    def locked(self, names: Iterable[str]) -> tuple[LockedHost, ...]:
        """What a lock keeps of the hosts `names`, sorted; nothing of those without a setting."""
        found = ((name, self.host(name)) for name in sorted(set(names)))
        usual = Host().concurrency
        return tuple(
            LockedHost(
                name,
                host.mirror,
                host.plain_http,
                host.concurrency if host.concurrency != usual else None,
            )
            for name, host in found
            if host.mirror or host.plain_http or host.concurrency != usual
        )

    def remembering(self, hosts: Iterable[LockedHost]) -> Settings:
        """These settings, with those of a lock for all that is not said here."""
        known = dict(self.hosts)
        for each in hosts:
            own = known.get(each.name, known.get(each.name.lower(), Host()))
            known[each.name] = replace(
                own,
                mirror=own.mirror or each.mirror,
                plain_http=own.plain_http or each.plain_http,
                concurrency=min(own.concurrency, each.concurrency or own.concurrency),
            )
        return replace(self, hosts=known)

    def base(self, name: str) -> str:
        """URL that paths of the distribution API are appended to, without a slash at its end."""
        host = self.host(name)
        if host.mirror:
            return host.mirror.rstrip("/")
        return f"{'http' if host.plain_http else 'https'}://{_ENDPOINTS.get(name, name)}"


def load(file: Path | None = None, *, plain_http: Iterable[str] = ()) -> Settings:
    """Read the settings of `file`, and say plain HTTP for the hosts of `plain_http`.

    Raises:
        InputError: the file cannot be read, or holds an unknown key or a wrong value.
    """
    hosts = _hosts(file) if file else {}
    for name in map(str.lower, plain_http):
        hosts[name] = replace(hosts.get(name, Host()), plain_http=True)
    return Settings(hosts)


def _hosts(file: Path) -> dict[str, Host]:
    try:
        raw = yaml.safe_load(file.read_text("utf-8")) or {}
        if not isinstance(raw, dict) or set(raw) - {"hosts"}:
            raise InputError("the only key of a settings file is `hosts`", where=str(file))
        return {
            str(name).lower(): _host(str(name), each, file) for name, each in raw["hosts"].items()
        }
    except (OSError, yaml.YAMLError, KeyError, AttributeError) as error:
        hint = "write for example: {hosts: {docker.io: {mirror: https://MIRROR/PATH}}}"
        raise InputError(
            f"the registries' settings cannot be read: {error}", where=str(file), hint=hint
        ) from error


def _host(name: str, raw: Mapping[str, Any] | None, file: Path) -> Host:
    known = {_camel(each.name): each.name for each in fields(Host)}
    values: dict[str, Any] = {}
    for key, value in (raw or {}).items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise InputError(f"unknown key '{key}' of {name}", where=str(file), hint=hint)
        values[known[key]] = value
    found = Host(**values)
    good = (
        isinstance(values.get("plain_http", False), bool)
        and isinstance(values.get("concurrency", 1), int)
        and 1 <= found.concurrency <= MAX_CONCURRENCY
        and all(
            each is None or isinstance(each, str)
            for each in (found.mirror, found.ca, found.client_certificate, found.client_key)
        )
        and (found.mirror is None or _MIRROR.fullmatch(found.mirror) is not None)
    )
    if not good:
        hint = (
            f"plainHttp is true or false, concurrency 1 to {MAX_CONCURRENCY},"
            " mirror a URL without a login"
        )
        raise InputError(f"a value of {name} cannot be used", where=str(file), hint=hint)
    return found


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
