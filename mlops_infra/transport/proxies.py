"""Which proxy a request goes through, by the rules of Go's clients (Docker, kubectl, Helm). Pure.

`http_proxy`, `https_proxy` and `no_proxy` are read in lower and in upper case; lower case wins, as
with curl and Python. `no_proxy` is a list, separated by commas or spaces, of

=====================  ===========================================================
`*`                    everything
`example.com`          that host and all below it
`.example.com`         the hosts below it, not the host itself; so does `*.example.com`
`10.1.2.3`, `fd00::1`  that address, when the request names it by number
`10.0.0.0/8`           all addresses of the range, when the request names one by number
`example.com:5000`     the same for one port alone; an IPv6 address stands in brackets
=====================  ===========================================================

Names have no case, and a dot at their end means nothing. `localhost` and the addresses of the
loopback are never asked for through a proxy. No name is resolved for this.

Specification: golang.org/x/net/http/httpproxy.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlops_infra.errors import InputError
from mlops_infra.transport.origin import DEFAULT_PORTS, Origin

_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>\d+)")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and what it has to be shown."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`Proxy-Authorization`, where its URL has a name and a password."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def proxy_of(origin: Origin, environment: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for requests to `origin`; None where it is asked directly.

    Raises:
        InputError: a variable names a proxy that this program cannot use.
    """
    variables = os.environ if environment is None else environment
    name = f"{origin.scheme}_proxy"
    if name == "http_proxy" and "REQUEST_METHOD" in variables:
        text = variables.get(name)  # HTTP_PROXY is then the header `Proxy` of a CGI's client
    else:
        text = _value(variables, name)
    if not text or is_direct(origin, _value(variables, "no_proxy") or ""):
        return None
    return _proxy(text, name)


def is_direct(origin: Origin, no_proxy: str) -> bool:
    """Whether `origin` is asked without a proxy, by a list such as `.example.com,10.0.0.0/8`."""
    host = origin.host.rstrip(".").lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(entry, host, address, origin.port) for entry in _entries(no_proxy))


def _entries(no_proxy: str) -> Iterator[str]:
    return filter(None, re.split(r"[,\s]+", no_proxy.lower()))


def _matches(entry: str, host: str, address: Address | None, port: int) -> bool:
    if entry == "*":
        return True
    network = _network(entry)
    if network is not None:
        return address is not None and address.version == network.version and address in network
    with_port = _PORT.fullmatch(entry)
    if with_port:
        if int(with_port["port"]) != port:
            return False
        entry = with_port["host"]
    named = _address(entry.strip("[]"))
    if named is not None:
        return named == address
    domain = entry.removeprefix("*").rstrip(".")
    if not domain or address is not None:
        return False
    if domain.startswith("."):
        return host.endswith(domain)
    return host == domain or host.endswith(f".{domain}")


def _address(text: str) -> Address | None:
    """An address; an IPv4 address that is written as IPv6 is that IPv4 address."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _network(text: str) -> Network | None:
    """A range; bits behind its prefix do not count (`10.1.2.3/24`)."""
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _value(variables: Mapping[str, str], name: str) -> str | None:
    """The variable in lower case, though it may be empty, else in upper case."""
    return variables.get(name, variables.get(name.upper()))


def _proxy(text: str, variable: str) -> Proxy:
    whole = text if "://" in text else f"http://{text}"
    try:
        parts = urllib.parse.urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urllib.parse.SplitResult("", "", "", "", "")
    if not host or parts.scheme != "http":
        # the text itself may hold a password
        kind = f"a proxy of the kind '{parts.scheme}'" if host else "no usable address"
        raise InputError(
            f"{variable} names {kind}",
            where=f"the environment variable {variable}",
            hint="set it to http://HOST:PORT, or add the host to no_proxy",
        )
    return Proxy(host, DEFAULT_PORTS["http"] if port is None else port, _headers(parts))


def _headers(parts: urllib.parse.SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = ":".join(map(urllib.parse.unquote, (parts.username, parts.password or "")))
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
