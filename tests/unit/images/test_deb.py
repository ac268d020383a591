"""A package is unpacked as dpkg would, and a hostile one is refused."""

import contextlib
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_infra.errors import OperationFailed
from mlops_infra.images import deb as debs_room
from mlops_infra.images.tree import Tree
from tests.unit.images.debs import ar, deb, member


def unpacked(content: bytes, folder: Path) -> Tree:
    file = folder / "sample.deb"
    file.write_bytes(content)
    tree = Tree()
    control = debs_room.unpack(file, tree, folder / "data.tar")
    assert b"Package: sample" in control
    return tree


def test_files_links_and_hard_links_arrive(tmp_path: Path) -> None:
    tree = unpacked(
        deb(
            member("./bin/", type=tarfile.DIRTYPE, mode=0o755),
            member("./bin/tool", b"program", mode=0o4755),
            member("./bin/alias", type=tarfile.SYMTYPE, linkname="tool"),
            member("./usr/bin/twin", type=tarfile.LNKTYPE, linkname="./bin/tool"),
        ),
        tmp_path,
    )
    tool, alias, twin = (tree.get(f"usr/bin/{name}") for name in ("tool", "alias", "twin"))
    assert tool is not None
    assert tool.read() == b"program"
    assert tool.mode == 0o755
    assert alias is not None
    assert alias.target == "tool"
    assert twin == tool


@pytest.mark.parametrize(
    "hostile",
    [
        member("../../etc/passwd", b"x"),
        member("./a/../../b", b"x"),
        member("./dev/sda", type=tarfile.BLKTYPE),
        member("./pipe", type=tarfile.FIFOTYPE),
        member("./hard", type=tarfile.LNKTYPE, linkname="/etc/shadow"),
        member("./hard", type=tarfile.LNKTYPE, linkname="../../etc/shadow"),
    ],
)
def test_a_hostile_member_is_refused(
    hostile: tuple[tarfile.TarInfo, bytes], tmp_path: Path
) -> None:
    with pytest.raises(OperationFailed):
        unpacked(deb(hostile), tmp_path)


def test_a_file_below_a_link_is_refused(tmp_path: Path) -> None:
    tree = unpacked(
        deb(
            member("./way-out", type=tarfile.SYMTYPE, linkname="/etc"),
            member("./way-out/passwd", b"x"),
        ),
        tmp_path,
    )
    with pytest.raises(OperationFailed, match="way-out"):
        tree.complete()


def test_a_small_package_that_swells_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debs_room, "_UNPACKED_MAX", 1 << 16)
    with pytest.raises(OperationFailed, match="unpacks to more"):
        unpacked(deb(member("./zeros", bytes(1 << 18))), tmp_path)


def test_unknown_compression_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperationFailed, match=r"data\.tar\.lzma"):
        unpacked(ar(data_tar_lzma=b"?"), tmp_path)


GOOD = deb(member("./usr/bin/tool", b"program" * 50))


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_never_ends_in_anything_but_a_clear_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    damaged = bytearray(GOOD)
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(GOOD) - 1))]
    else:
        at = data.draw(st.integers(0, len(GOOD) - 1))
        damaged[at] ^= data.draw(st.integers(1, 255))
    file = tmp_path / "damaged.deb"
    file.write_bytes(bytes(damaged))
    with contextlib.suppress(OperationFailed):
        debs_room.unpack(file, Tree(), tmp_path / "data.tar")
