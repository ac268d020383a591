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


def tree(folder: Path, inside: int, outside: Path) -> Path:
    for n in range(inside):
        place = folder / str(n % 7) / str(n % 3)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"file{n}").write_text("x")
    (folder / "empty").mkdir(exist_ok=True)
    (folder / "to a folder").symlink_to(outside)
    (folder / "to nothing").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe")
    return folder


def test_a_tree_goes_whole_and_nothing_behind_its_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    files.remove_tree(tree(tmp_path / "tree", 200, outside))
    assert [each.name for each in tmp_path.iterdir()] == ["outside"]
    assert (outside / "kept").exists()
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        files.remove_tree(tmp_path / "link")
    assert (outside / "kept").exists()
    files.remove_tree(tmp_path / "nothing", missing_ok=True)
    with pytest.raises(FileNotFoundError):
        files.remove_tree(tmp_path / "nothing")


def test_a_temporary_folder_goes_however_its_block_ends(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), files.temporary_folder(tmp_path, "made-") as folder:
        (folder / "half").write_bytes(bytes(1 // 0))
    assert list(tmp_path.iterdir()) == []


def test_below_finds_what_is_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "shared" / "deep").mkdir(parents=True)
    (tmp_path / "shared" / "deep" / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to("../shared")
    (tmp_path / "folder" / "broken").symlink_to("nowhere")
    assert list(files.below(tmp_path / "folder")) == [tmp_path / "folder/link/deep/file"]
