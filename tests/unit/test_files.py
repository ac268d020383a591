"""A file is the new one or the old one, whatever happens while it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_infra import files


def test_what_fails_half_way_leaves_the_old_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "state"
    files.write(file, "old")
    with pytest.raises(ZeroDivisionError), files.replacing(file) as stream:
        stream.writelines([b"half of the n", bytes(1 // 0)])
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_permissions_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        files.write(tmp_path / "public", "하나")
        files.write(tmp_path / "secret", b"\0", mode=0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").read_text("utf-8") == "하나"


def test_a_link_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("one")
    files.link(tmp_path / "current", Path("two"))
    assert (tmp_path / "current").readlink() == Path("two")


def test_below_finds_what_is_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "shared" / "deep").mkdir(parents=True)
    (tmp_path / "shared" / "deep" / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("../shared")
    (tmp_path / "folder" / "broken").symlink_to("nowhere")
    assert list(files.below(tmp_path / "folder")) == [tmp_path / "folder/link/deep/file"]
