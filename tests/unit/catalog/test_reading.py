"""Versions, ranges, SPDX expressions, and how values of Secrets are made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.catalog import alternatives, matches, newest_first, parse
from mlops_infra.catalog.secrets import Setting, Text, recipe


@pytest.mark.parametrize(
    ("version", "wanted", "expected"),
    [
        ("1.18.0", ">=1.18", True),
        ("v1.17.1", "<1.18", True),
        ("1.18.0-rc1", ">=1.18", False),
        ("1.9", "<1.18", True),
        ("1.34", ">=1.30,<1.36", True),
        ("1.36", ">=1.30,<1.36", False),
        ("3.0.0+build", "==3", True),
        ("anything", "*", True),
    ],
)
def test_ranges(version: str, wanted: str, expected: bool) -> None:
    assert matches(version, wanted) is expected


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1))
def test_versions_sort_by_number(pairs: list[tuple[int, int]]) -> None:
    ordered = newest_first(f"{major}.{minor}" for major, minor in pairs)
    assert [tuple(map(int, each.split("."))) for each in ordered] == sorted(pairs, reverse=True)


@pytest.mark.parametrize(("version", "wanted"), [("latest", ">=1"), ("1.0", "~1"), ("1.0", "")])
def test_what_is_no_range_is_refused(version: str, wanted: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        matches(version, wanted)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", {frozenset({"MIT"})}),
        ("MIT OR Apache-2.0", {frozenset({"MIT"}), frozenset({"Apache-2.0"})}),
        ("MIT AND (ISC OR Zlib)", {frozenset({"MIT", "ISC"}), frozenset({"MIT", "Zlib"})}),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0",
            {frozenset({"GPL-2.0-only WITH Classpath-exception-2.0"})},
        ),
    ],
)
def test_alternatives(expression: str, expected: set[frozenset[str]]) -> None:
    assert alternatives(expression) == expected


@pytest.mark.parametrize("text", ["", "MIT OR", "(MIT", "MIT)", "OR MIT", "MIT ISC", "MIT; ISC"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="SPDX expression"):
        parse(text)


def test_how_a_value_is_made_is_read_once() -> None:
    wanted = Setting("envoy-gateway", ("oidc", "secret"), "clientSecret")
    assert recipe("client-secret", "secret:envoy-gateway.oidc.secret/clientSecret") == wanted
    assert recipe("url", "literal:a:b") == Text("a:b")


@pytest.mark.parametrize(
    "text", ["", "literal", "generate:x", "certificate:mlflow", "secret:mlflow/key", "secret:a.b"]
)
def test_what_does_not_say_how_a_value_is_made_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"does not say|instead of ca\.crt"):
        recipe("password", text)
