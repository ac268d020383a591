"""Computed certificates: the same bytes in a period, trusted for their own namespace alone."""

from __future__ import annotations

import base64
import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_infra.components.certificates import LEAF_PERIOD, Authorities, server_names
from mlops_infra.engine.certificates import ending
from mlops_infra.plan import CERTIFICATES_END, Certificate, authority_of, ca_bundle

SEED = b"s" * 43
NOW = datetime.datetime(2026, 11, 21, 12, tzinfo=datetime.UTC)
LEAF = Certificate("webhook", "kserve", "tls.crt")
KEY = Certificate("webhook", "kserve", "tls.key")


def _pem(text: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(text.encode())


def _trusted(bundle: str, leaf: str, name: str, when: datetime.datetime) -> bool:
    store = verification.Store(_pem(bundle))
    verifier = verification.PolicyBuilder().store(store).time(when)
    try:
        verifier.build_server_verifier(x509.DNSName(name)).verify(_pem(leaf)[0], [])
    except verification.VerificationError:
        return False
    return True


def test_two_runs_of_one_period_make_the_same_bytes() -> None:
    one, other = Authorities(SEED, "prod", NOW), Authorities(SEED, "prod", NOW + LEAF_PERIOD / 8)
    assert one.part(LEAF) == other.part(LEAF)
    assert one.part(KEY) == other.part(KEY)
    assert one.bundle("kserve") == other.bundle("kserve")


@pytest.mark.parametrize(
    "other",
    [
        Authorities(b"t" * 43, "prod", NOW),
        Authorities(SEED, "dev", NOW),
        Authorities(SEED, "prod", NOW + LEAF_PERIOD),
    ],
    ids=["seed", "stack", "period"],
)
def test_another_seed_stack_or_period_is_another_key(other: Authorities) -> None:
    assert Authorities(SEED, "prod", NOW).part(KEY) != other.part(KEY)


@settings(max_examples=60, deadline=None)
@given(
    when=st.datetimes(
        min_value=datetime.datetime(2024, 1, 1), max_value=datetime.datetime(2060, 1, 1)
    ),
    later=st.timedeltas(min_value=datetime.timedelta(0), max_value=datetime.timedelta(days=640)),
)
def test_what_an_up_makes_is_trusted_for_21_months_without_another(
    when: datetime.datetime, later: datetime.timedelta
) -> None:
    made = Authorities(SEED, "prod", when.replace(tzinfo=datetime.UTC))
    name = "webhook.kserve.svc"
    assert _trusted(made.bundle("kserve"), made.part(LEAF), name, when + later)


def test_old_and_new_trust_each_other_while_an_up_is_under_way() -> None:
    for days in range(0, 4000, 91):
        before = Authorities(SEED, "prod", NOW + datetime.timedelta(days=days))
        moment = NOW + datetime.timedelta(days=days + 91)
        after = Authorities(SEED, "prod", moment)
        for made, asking in ((before, after), (after, before)):
            bundle = asking.bundle("kserve")
            assert _trusted(bundle, made.part(LEAF), "webhook.kserve.svc", moment)


def test_nobody_else_is_trusted() -> None:
    made = Authorities(SEED, "prod", NOW)
    leaf = made.part(LEAF)
    assert _trusted(made.bundle("kserve"), leaf, "webhook.kserve.svc", NOW)
    assert not _trusted(made.bundle("kserve"), leaf, "webhook.other.svc", NOW)
    assert not _trusted(made.bundle("seldon-system"), leaf, "webhook.kserve.svc", NOW)
    assert not _trusted(
        Authorities(SEED, "dev", NOW).bundle("kserve"), leaf, "webhook.kserve.svc", NOW
    )
    assert not _trusted(made.bundle("kserve"), leaf, "webhook.kserve.svc", NOW + LEAF_PERIOD * 6)


def test_a_tls_server_takes_the_pair(tmp_path: Path) -> None:
    made = Authorities(SEED, "prod", NOW)
    for part in ("tls.crt", "tls.key"):
        (tmp_path / part).write_text(made.part(Certificate("webhook", "kserve", part)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(tmp_path / "tls.crt"), str(tmp_path / "tls.key"))


def test_a_certificate_is_for_all_names_of_its_service() -> None:
    leaf = _pem(Authorities(SEED, "prod", NOW).part(LEAF))[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(names.get_values_for_type(x509.DNSName)) == server_names("webhook", "kserve")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def test_marks_in_values_become_certificates_and_nothing_else_changes() -> None:
    made = Authorities(SEED, "prod", NOW)
    others: list[object] = [ca_bundle("x"), "y", 1, None, True]
    values = {"a": {"caBundle": ca_bundle("kserve")}, "b": others}
    filled = made.filled(values)
    assert filled["b"][1:] == ["y", 1, None, True]
    assert base64.b64decode(filled["a"]["caBundle"]).decode() == made.bundle("kserve")
    assert base64.b64decode(filled["b"][0]).decode() == made.bundle("x")
    assert not any(authority_of(text) for text in _texts(filled))
    assert others[0] == ca_bundle("x")


def test_prometheus_is_told_when_certificates_end() -> None:
    made = Authorities(SEED, "prod", NOW)
    leaf = x509.load_pem_x509_certificate(
        made.part(Certificate("hook", "kserve", "tls.crt")).encode()
    )
    told = made.filled({"ends": CERTIFICATES_END})["ends"]
    assert int(told) == leaf.not_valid_after_utc.timestamp()


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True), st.text())
def test_only_a_mark_is_a_mark(namespace: str, text: str) -> None:
    assert authority_of(ca_bundle(namespace)) == namespace
    assert authority_of(text) is None
    assert authority_of(base64.b64encode(text.encode()).decode()) is None


def test_a_certificate_that_ends_soon_is_told_and_others_are_not() -> None:
    body = base64.b64encode(Authorities(SEED, "prod", NOW).part(LEAF).encode()).decode()
    metadata = {"namespace": "kserve", "name": "cert"}
    secrets: list[dict[str, object]] = [
        {"metadata": metadata, "data": {"tls.crt": body}},
        {"metadata": metadata, "data": {"password": "x"}},
        {"metadata": metadata},
    ]
    assert ending(secrets, NOW) == []
    (soon,) = ending(secrets, NOW + datetime.timedelta(days=600))
    assert "kserve/cert ends on 2028" in soon
    (over,) = ending(secrets, NOW + datetime.timedelta(days=900))
    assert "ended on" in over
    broken = [{"metadata": metadata, "data": {"tls.crt": "AAAA"}}]
    assert "cannot be read" in ending(broken, NOW)[0]
