"""A tree keeps every entry inside the image and takes nothing from the host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.errors import OperationFailed
from mlops_infra.images.tree import Entry, Tree, clean


@given(st.text(st.sampled_from("ab./\0"), max_size=12))
def test_a_cleaned_path_stays_inside(path: str) -> None:
    try:
        cleaned = clean(path, where="test")
    except OperationFailed:
        assert ".." in path.split("/") or "\0" in path
        return
    assert not cleaned.startswith("/")
    assert not {"..", ".", ""} & set(cleaned.split("/")) or cleaned == ""


@pytest.mark.parametrize("top", ["bin", "sbin", "lib", "lib64"])
def test_merged_folders_lie_below_usr(top: str) -> None:
    assert clean(f"./{top}/x", where="test") == f"usr/{top}/x"
    assert clean(f"/usr/{top}/x", where="test") == f"usr/{top}/x"
    assert clean(f"opt/{top}/x", where="test") == f"opt/{top}/x"


def test_dropping_takes_folders_and_keeps_what_must_stay() -> None:
    tree = Tree()
    for path in ("usr/share/doc/a/copyright", "usr/share/doc/a/README", "usr/share/doc/a", "keep"):
        tree.place(path, Entry("file"))
    tree.drop(["usr/share/doc/**"], keep=["usr/share/doc/*/copyright"])
    assert [path for path, _ in tree.items()] == ["keep", "usr/share/doc/a/copyright"]


def test_a_link_does_not_replace_a_folder() -> None:
    tree = Tree()
    tree.add("lib/x", Entry("dir"), where="one.deb")
    tree.add("usr/lib/x", Entry("link", target="/elsewhere"), where="two.deb")
    entry = tree.get("usr/lib/x")
    assert entry is not None
    assert entry.kind == "dir"
