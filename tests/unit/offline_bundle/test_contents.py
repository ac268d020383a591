"""The signed list: what is written is read, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import InputError
from offline_bundle.sealing.contents import Contents, ContentsError, Entry, parse
from offline_bundle.sealing.paths import UnsafePath, require_safe

SHA = "a" * 64
ESCAPING = [
    "../x", "a/../../x", "/etc/passwd", "a//b", "./a", "a/.", "", "a\\b", "c:/x", "a\nb", "a\x00b",
    "con", "files/NUL.txt", "files/end.", "files/end ", "a" * 1025, "files/\udcff",
]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPING)
def test_a_path_that_leaves_its_folder_or_changes_its_meaning_is_refused(path: str) -> None:
    with pytest.raises(UnsafePath):
        require_safe(path)


@given(st.text(max_size=60))
def test_an_accepted_path_stays_below_its_folder(path: str) -> None:
    try:
        require_safe(path)
    except UnsafePath:
        return
    parts = path.split("/")
    assert ".." not in parts
    assert not path.startswith("/")
    assert "\\" not in path
    assert all(parts)


NAMES = st.text("abcdefghijklmnop0123456789._-", min_size=1, max_size=12).map(lambda n: f"x{n}x")


@given(
    st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=6),
    st.integers(min_value=0, max_value=1 << 50),
)
def test_what_is_written_is_read(paths: set[str], size: int) -> None:
    entries = tuple(Entry(f"files/{path}", "file", size, SHA) for path in sorted(paths))
    made = Contents(None, "linux/amd64", "3.11", tuple(sorted(entries, key=lambda e: e.path)))
    again = parse(made.encode())
    assert again == made
    assert again.encode() == made.encode()


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_anything_else_is_refused_as_wrong_input(raw: bytes) -> None:
    with pytest.raises(InputError):
        parse(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../files/x"},
        {"path": "bundle.json"},
        {"path": f"blobs/sha256/{'b' * 64}"},
        {"size": -1},
        {"size": True},
        {"size": "7"},
        {"sha256": "A" * 64},
        {"mode": 7},
    ],
)
def test_an_entry_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    made = Contents("s", "linux/amd64", "3.11", (Entry("files/x", "file", 1, SHA),))
    raw = json.loads(made.encode())
    raw["files"][0] |= change
    with pytest.raises((ContentsError, UnsafePath)):
        parse(json.dumps(raw).encode())


def test_one_path_twice_or_twice_but_for_case_is_refused() -> None:
    for paths in (("files/a", "files/a"), ("files/B", "files/b"), ("files/b", "files/a")):
        entries = tuple(Entry(path, "file", 1, SHA) for path in paths)
        with pytest.raises((ContentsError, UnsafePath)):
            parse(Contents("s", "linux/amd64", "3.11", entries).encode())
