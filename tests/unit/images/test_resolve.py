"""The resolver takes what a person who reads the index would take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from mlops_infra.images.debian_index import Index
from mlops_infra.images.debian_resolve import resolve
from mlops_infra.images.debian_versions import DebianVersion, satisfies


def stanza(name: str, version: str = "1", **fields: str) -> str:
    lines = {
        "Package": name,
        "Version": version,
        "Architecture": "amd64",
        "Filename": f"pool/{name}_{version}.deb",
        "Size": "1",
        "SHA256": "0" * 64,
        **{key.replace("_", "-"): value for key, value in fields.items()},
    }
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def index(*main: str, security: tuple[str, ...] = ()) -> Index:
    return Index({"debian": "\n".join(main), "debian-security": "\n".join(security)})


def chosen(found: Index, *wanted: str, **options: list[str]) -> list[str]:
    return [package.name for package in resolve(wanted, found, **options)]  # type: ignore[arg-type]


def test_dependencies_are_followed_once_and_sorted() -> None:
    found = index(
        stanza("app", Depends="lib-b, lib-a (>= 1)", Pre_Depends="first"),
        stanza("lib-a", Depends="lib-b"),
        stanza("lib-b", Depends="lib-a"),
        stanza("first"),
    )
    assert chosen(found, "app") == ["app", "first", "lib-a", "lib-b"]


def test_the_security_archive_wins_by_version() -> None:
    found = index(stanza("app", "1.10-1+deb13u1"), security=(stanza("app", "1.10-1+deb13u2"),))
    (package,) = resolve(["app"], found)
    assert (package.version, package.section) == ("1.10-1+deb13u2", "debian-security")


def test_alternatives_virtual_packages_and_what_is_there_already() -> None:
    found = index(
        stanza("app", Depends="missing | mail-agent, awk, shell (>= 2) | other"),
        stanza("postfix", Provides="mail-agent (= 3), x"),
        stanza("exim", Provides="mail-agent"),
        stanza("mawk", Provides="awk"),
        stanza("shell", "1"),
        stanza("other"),
    )
    assert chosen(found, "app") == ["app", "exim", "mawk", "other"]
    assert chosen(found, "postfix", "app", without=["awk"]) == ["app", "other", "postfix"]
    assert chosen(found, "app", installed=["mawk", "exim", "other"]) == ["app"]


def test_what_cannot_be_met_is_named() -> None:
    with pytest.raises(InputError, match=r"'app' needs 'lib \(>= 2\)'"):
        chosen(index(stanza("app", Depends="lib (>= 2)"), stanza("lib", "1.9")), "app")
    with pytest.raises(InputError, match="no package 'nothing'"):
        chosen(index(), "nothing")


ORDERED = [
    *("1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1~bpo", "1.0-1", "1.0-1+b1", "1.0-2", "1.0-10"),
    *("1.0a", "1.0+b", "1.0.1", "1.1", "1.10", "2", "1:0.1", "2:0"),
]
"""Ascending, as dpkg --compare-versions has it."""


def test_versions_compare_as_dpkg_compares_them() -> None:
    assert sorted(ORDERED, key=DebianVersion) == ORDERED
    assert DebianVersion("1.0") == DebianVersion("0:1.0-0")
    assert satisfies("1.2", "x (>> 1.1)")
    assert not satisfies("1.2", "x (<< 1.2)")
    assert satisfies("1.2", "x (= 1.2) [amd64]")


versions = st.from_regex(r"([0-2]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z.+~]{1,4})?", fullmatch=True)


@given(versions, versions, versions)
def test_versions_are_totally_ordered(a: str, b: str, c: str) -> None:
    x, y, z = DebianVersion(a), DebianVersion(b), DebianVersion(c)
    assert (x < y) + (x == y) + (y < x) == 1
    if x <= y and y <= z:
        assert x <= z
