"""How nodes find the site's registry under the upstream names: nothing in a chart has to change.

Three forms of one table: `hosts.toml` for containerd, `registries.conf` for CRI-O and Podman,
`registries.yaml` for k3s and RKE2. Each leaves the runtime no way to the upstream host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.push.targets import upstream_path
from offline_bundle.references import parse

CERTS = "certs.d"
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?")
_PREFIX = re.compile(r"(?:[a-z0-9._-]+(?:/[a-z0-9._-]+)*)?")


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where everything is pulled from."""

    scheme: str
    host: str
    """With its port."""
    prefix: str
    """Path within the registry, without slashes around it; may be empty."""
    ca: Path | None = None

    @property
    def url(self) -> str:
        """`https://host:port`."""
        return f"{self.scheme}://{self.host}"

    def path(self, upstream: str) -> str:
        """Repository prefix of what came from the host `upstream`."""
        own = upstream_path(upstream)
        return f"{self.prefix}/{own}" if self.prefix else own


def mirror(registry: str, *, ca: Path | None = None, plain_http: bool = False) -> Mirror:
    """Read `HOST[:PORT][/PREFIX]`, or the URL of a `bundle serve`.

    Raises:
        InputError: it is neither, or asks for plain HTTP without `plain_http`.
    """
    parts = urlsplit(registry if "://" in registry else f"//{registry}")
    scheme = parts.scheme or ("http" if plain_http else "https")
    path = parts.path.strip("/")
    # these go into configuration files of three formats
    plain = _HOST.fullmatch(parts.netloc) and _PREFIX.fullmatch(path)
    if scheme not in {"http", "https"} or not plain or parts.query or parts.fragment:
        raise InputError(f"'{registry}' is not a registry", hint="HOST[:PORT][/PREFIX]")
    if scheme == "http" and not plain_http:
        raise InputError(
            f"{registry} would be read without TLS",
            hint="to confirm, add --plain-http",
        )
    return Mirror(scheme, parts.netloc, path, ca)


def upstreams(bundle: Path) -> tuple[str, ...]:
    """The registry hosts that the bundle's images are named by, sorted."""
    found = set()
    for item in json.loads((bundle / layout.INDEX).read_bytes())["manifests"]:
        notes = item.get("annotations") or {}
        if notes.get(layout.KIND) == "image" and layout.REF_NAME in notes:
            found.add(parse(notes[layout.REF_NAME]).host)
    return tuple(sorted(found))


def write(folder: Path, hosts: Iterable[str], to: Mirror) -> None:
    """Write all three forms into `folder`."""
    names = tuple(hosts)
    for host in names:
        file = folder / CERTS / host / "hosts.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(hosts_toml(host, to), "utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registries.conf").write_text(registries_conf(names, to), "utf-8")
    (folder / "registries.yaml").write_text(registries_yaml(names, to), "utf-8")


def hosts_toml(host: str, to: Mirror) -> str:
    """containerd: `server` must be the mirror too, or it falls back to the upstream host."""
    address = f"{to.url}/v2/{to.path(host)}"
    lines = [
        f'server = "{address}"',
        "",
        f'[host."{address}"]',
        '  capabilities = ["pull", "resolve"]',
        "  override_path = true",
    ]
    if to.ca:
        lines.append(f'  ca = "{to.ca}"')
    return "\n".join([*lines, ""])


def registries_conf(hosts: Iterable[str], to: Mirror) -> str:
    """containers/image: `location` replaces the host, so there is no way back to it."""
    lines = ["unqualified-search-registries = []", ""]
    for host in hosts:
        lines += [
            "[[registry]]",
            f'prefix = "{host}"',
            f'location = "{to.host}/{to.path(host)}"',
            f"insecure = {'true' if to.scheme == 'http' else 'false'}",
            "",
        ]
    return "\n".join(lines)


def registries_yaml(hosts: Iterable[str], to: Mirror) -> str:
    """k3s and RKE2; start them with `--disable-default-registry-endpoint` besides."""
    lines = ["mirrors:"]
    for host in hosts:
        lines += [
            f'  "{host}":',
            f'    endpoint: ["{to.url}"]',
            "    rewrite:",
            f'      "^(.*)$": "{to.path(host)}/$1"',
        ]
    if to.ca:
        lines += ["configs:", f'  "{to.host}":', "    tls:", f'      ca_file: "{to.ca}"']
    return "\n".join([*lines, ""])
