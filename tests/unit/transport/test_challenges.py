"""`WWW-Authenticate` is read as it is written, whoever writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.transport.challenges import Challenge, challenges

TOKENS = st.text("abcXYZ019!#$%&'*+.^_`|~-", min_size=1, max_size=8)
VALUES = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20
)
PARAMETERS = st.dictionaries(TOKENS.map(str.lower), VALUES, max_size=4)
SCHEMES = st.sampled_from(["Basic", "bearer", "NEGOTIATE", "Digest", "NTLM", "AWS4-HMAC-SHA256"])
CHALLENGES = st.lists(
    st.builds(lambda scheme, more: Challenge(scheme.lower(), more), SCHEMES, PARAMETERS),
    min_size=1,
    max_size=4,
)
GAPS = st.sampled_from([", ", ",", " , ", ",,  ,"])


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(challenge: Challenge, draw: st.DrawFn) -> str:
    if not challenge.parameters:
        data = draw(st.sampled_from(["", " YIIabc==", " a.b-c_~+/="]))
        return f"{challenge.scheme}{data}"
    pairs = [
        f"{name}{draw(st.sampled_from(['=', ' = ', '= ']))}{quoted(value)}"
        for name, value in challenge.parameters.items()
    ]
    return f"{challenge.scheme} {draw(GAPS).join(pairs)}"


@given(CHALLENGES, st.data())
def test_any_number_in_any_number_of_headers_is_read_back(
    offered: list[Challenge], data: st.DataObject
) -> None:
    texts = [written(each, data.draw) for each in offered]
    cut = data.draw(st.integers(0, len(texts)))
    gap = data.draw(GAPS)
    headers = [gap.join(part) for part in (texts[:cut], texts[cut:]) if part]
    assert list(challenges(headers)) == offered


@given(st.lists(st.text(max_size=60), max_size=3))
def test_nothing_that_a_server_sends_is_an_error(headers: list[str]) -> None:
    for challenge in challenges(headers):
        assert challenge.scheme == challenge.scheme.lower()


@given(st.text(max_size=30).filter(lambda text: '"' not in text))
def test_a_good_challenge_behind_a_broken_one_is_found(rubbish: str) -> None:
    found = challenges([f'{rubbish}, Bearer realm="https://token.example/"'])
    assert ("bearer", "https://token.example/") in [
        (each.scheme, each.parameters.get("realm")) for each in found
    ]


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ('Basic realm="Sonatype Nexus Repository Manager"', ["basic"]),
        ('Bearer realm="https://gitlab.example/jwt/auth",service="container_registry"', ["bearer"]),
        ("Negotiate, NTLM", ["negotiate", "ntlm"]),
        ('BASIC realm="Artifactory Realm", charset=UTF-8', ["basic"]),
        ("Bearer realm=https://quay.example/v2/auth,service=quay.example", ["bearer"]),
        ('Digest qop="auth,auth-int", nonce=x, Basic realm="a, Bearer b"', ["digest", "basic"]),
        ("", []),
    ],
)
def test_what_registries_send(header: str, schemes: list[str]) -> None:
    assert [each.scheme for each in challenges([header])] == schemes
    assert all(" " not in name for each in challenges([header]) for name in each.parameters)
