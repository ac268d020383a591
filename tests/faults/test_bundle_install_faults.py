"""The disk of an installation fills up while it is under way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import quiet
from offline_bundle import layout
from offline_bundle.install import Wanted, install, preflight
from offline_bundle.volumes import open_source
from tests.bundles import Maker
from tests.registries import incompressible

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk needs root")
SIZE = 3 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that holds a third of the bundle."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={SIZE // 3}", "small", str(folder))
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(("umount", str(folder)), check=True)


def test_a_full_disk_is_told_and_the_same_call_goes_on_when_there_is_room(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(tmp_path / "bundle")
    maker.image("docker.io/library/server:1", [incompressible(SIZE // 6, n) for n in range(6)])
    maker.seal()
    bundle, wanted = maker.folder, Wanted(disk / "root", copy=True)
    with pytest.raises(OperationFailed) as caught:
        install(open_source([bundle]), wanted, quiet)
    assert "the installation needs" in caught.value.what
    assert list(disk.iterdir()) == []

    # somebody else fills the disk after the room was asked for
    monkeypatch.setattr(preflight, "require", lambda *_args, **_more: None)
    with pytest.raises(OperationFailed) as caught:
        install(open_source([bundle]), wanted, quiet)
    assert "No space left" in caught.value.what
    assert not (disk / "root" / "current").exists()

    grow = ("mount", "-o", f"remount,size={4 * SIZE}", str(disk))
    subprocess.run(grow, check=True)
    done = install(open_source([bundle]), wanted, quiet)
    assert (disk / "root" / "current" / "bundle" / layout.INDEX).is_file()
    assert [each.name for each in (disk / "root" / "releases").iterdir()] == [done.release]
