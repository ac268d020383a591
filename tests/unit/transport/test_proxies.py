"""NO_PROXY means what it means to Docker and kubectl."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.transport.origin import Origin
from mlops_infra.transport.proxies import is_direct, proxy_of

LABEL = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=6)
DOMAIN = st.builds(lambda a, b: f"{a}.{b}.example", LABEL, LABEL)
PORT = st.integers(1, 65535)
GAP = st.sampled_from([",", ", ", " ", ",,", "\t"])


def origin(host: str, port: int = 443, scheme: str = "https") -> Origin:
    return Origin(scheme, host, port)


def scrambled(text: str, data: st.DataObject) -> str:
    upper = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(c.upper() if u else c for c, u in zip(text, upper, strict=True))


@given(DOMAIN, LABEL, PORT, PORT, st.data())
def test_a_name_counts_for_itself_and_all_below_in_any_case(
    domain: str, label: str, port: int, other: int, data: st.DataObject
) -> None:
    gap = data.draw(GAP)
    entry = scrambled(domain, data) + data.draw(st.sampled_from(["", "."]))
    rules = gap.join(["unrelated.test", entry, "10.0.0.0/8"])
    for host in (domain, f"{label}.{domain}", scrambled(domain, data), f"{domain}."):
        assert is_direct(origin(host, port), rules)
    assert not is_direct(origin(f"{label}{domain}", port), rules)
    assert not is_direct(origin(f"{domain}.{label}", port), rules)
    with_port = f"{domain}:{port}"
    assert is_direct(origin(domain, port), with_port)
    assert is_direct(origin(domain, other), with_port) is (other == port)


@given(DOMAIN, LABEL, st.sampled_from([".", "*."]))
def test_a_leading_dot_counts_for_what_is_below_alone(domain: str, label: str, dot: str) -> None:
    assert is_direct(origin(f"{label}.{domain}"), f"{dot}{domain}")
    assert not is_direct(origin(domain), f"{dot}{domain}")


@given(st.ip_addresses(), st.integers(0, 128), st.ip_addresses(), PORT)
def test_a_range_counts_for_the_addresses_in_it(
    inside: ipaddress.IPv4Address | ipaddress.IPv6Address,
    prefix: int,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
    port: int,
) -> None:
    prefix = min(prefix, inside.max_prefixlen)
    mapped = getattr(inside, "ipv4_mapped", None) or getattr(other, "ipv4_mapped", None)
    if mapped:
        return  # has a test of its own
    network = ipaddress.ip_network(f"{inside}/{prefix}", strict=False)
    rules = f"{inside}/{prefix}"
    assert is_direct(origin(str(inside), port), rules)
    expected = other.is_loopback or (other.version == network.version and other in network)
    assert is_direct(origin(str(other), port), rules) is expected
    assert not is_direct(origin("host.example", port), rules)


@pytest.mark.parametrize(
    ("host", "rules", "direct"),
    [
        ("localhost", "", True),
        ("LOCALHOST", "", True),
        ("127.8.9.1", "", True),
        ("::1", "", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.33", "10.1.2.3", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("fd00::5", "[fd00::5]:443", True),
        ("fd00::5", "[fd00::5]:444", False),
        ("fd00::5", "fd00:0:0::5", True),
        ("10.231.254.110.evil.example", "10.0.0.0/8, 10.231.254.110", False),
        ("registry.example", "*", True),
        ("registry.example", "", False),
        ("registry.example", "example.com,.example.org", False),
        ("registry.example", "not/a/range, :443, /8, .", False),
    ],
)
def test_single_rules(host: str, rules: str, direct: bool) -> None:
    assert is_direct(origin(host), rules) is direct


def test_lower_case_wins_and_the_scheme_chooses() -> None:
    variables = {
        "HTTPS_PROXY": "http://upper:1",
        "https_proxy": "http://n%40me:p%3Aw@lower.example:3128/",
        "HTTP_PROXY": "plain.example",
    }
    found = proxy_of(origin("a.example"), variables)
    assert found is not None
    assert str(found) == "lower.example:3128"
    assert found.headers["Proxy-Authorization"] == "Basic bkBtZTpwOnc="
    assert "p:w" not in repr(found)
    assert str(proxy_of(origin("a.example", 80, "http"), variables)) == "plain.example:80"
    assert proxy_of(origin("a.example"), {**variables, "no_proxy": "", "NO_PROXY": "*"})
    assert proxy_of(origin("a.example"), {**variables, "https_proxy": ""}) is None


@pytest.mark.parametrize("text", ["socks5://u:secret@h:1", "https://h:1", "http://", "http://h:x"])
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(text: str) -> None:
    with pytest.raises(InputError) as caught:
        proxy_of(origin("a.example"), {"https_proxy": text})
    assert "https_proxy" in str(caught.value)
    assert "secret" not in str(caught.value)
