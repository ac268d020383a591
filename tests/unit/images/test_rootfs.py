"""Unpacking lays down what the layers say and never a byte outside."""

import io
import tarfile
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.images.rootfs import unpack_layers
from tests.unit.images.debs import member


def tar(file: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(file, "w") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return file


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


def test_upper_layers_win_and_modes_hold(tmp_path: Path) -> None:
    lower = tar(
        tmp_path / "1.tar",
        folder("etc", 0o555),
        member("etc/a", b"old", mode=0o600),
        link("etc/b", "a"),
    )
    upper = tar(
        tmp_path / "2.tar",
        folder("etc", 0o750),
        member("etc/a", b"new", mode=0o755),
        member("etc/b", b"a file now"),
    )
    root = unpack_layers([lower, upper], tmp_path / "root")
    assert (root / "etc/a").read_bytes() == b"new"
    assert (root / "etc/a").stat().st_mode & 0o777 == 0o755
    assert not (root / "etc/b").is_symlink()
    assert (root / "etc").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    "hostile",
    [
        (member("../outside", b"x"),),
        (member("/../outside", b"x"),),
        (link("way", ".."), member("way/outside", b"x")),
        (link("way", ".."), folder("way/outside")),
        (member("a", type=tarfile.LNKTYPE, linkname="../outside"),),
        (member("a", type=tarfile.CHRTYPE),),
        (member("nowhere/a", b"x"),),
    ],
)
def test_a_hostile_layer_leaves_nothing_behind(
    hostile: tuple[tuple[tarfile.TarInfo, bytes], ...], tmp_path: Path
) -> None:
    layer = tar(tmp_path / "1.tar", *hostile)
    with pytest.raises(OperationFailed, match="refused"):
        unpack_layers([layer], tmp_path / "below" / "root")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1.tar", "below"]


def test_a_file_takes_the_place_of_a_link_and_does_not_write_through_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    layer = tar(tmp_path / "1.tar", link("a", str(victim)), member("a", b"theirs"))
    unpack_layers([layer], tmp_path / "root")
    assert victim.read_bytes() == b"mine"
