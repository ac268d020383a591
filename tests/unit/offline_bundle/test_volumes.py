"""Volumes: any order, from media that are only read; what is missing is said exactly."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from offline_bundle import layout
from offline_bundle.inspect.contents import html, inspect
from offline_bundle.sealing import keys
from offline_bundle.verify import BundleDamaged, verify
from offline_bundle.volumes import open_source, split
from tests.bundles import Maker
from tests.unit.offline_bundle.conftest import fill

SMALL = 96 << 10
"""Smaller than the largest layer (300 kB)."""


def fingerprint(folder: Path) -> dict[str, tuple[str, int, int]]:
    return {
        str(file.relative_to(folder)): (
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_mtime_ns,
            file.stat().st_mode,
        )
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def volumes(bundle: Path, tmp_path: Path) -> list[Path]:
    made = list(split(bundle, tmp_path / "volumes", SMALL).folders)
    assert len(made) > 3
    for folder in made:
        assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) <= SMALL
    return made


def test_volumes_in_any_order_are_the_bundle_and_are_not_touched(
    bundle: Path, volumes: list[Path], public: Path
) -> None:
    before = [fingerprint(folder) for folder in volumes]
    for folder in volumes:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
    before_ro = [fingerprint(folder) for folder in volumes]
    order = volumes[::-1]
    report = verify([*order, order[0]], key=public)  # one of them twice
    assert report.findings == []
    assert report.signature == "good"
    source = open_source(order)
    for entry in source.contents.entries:
        whole = (bundle / entry.path).read_bytes()
        assert b"".join(source.stream(entry, block=4096)) == whole
        middle = slice(len(whole) // 3, len(whole) // 3 + 50_000)
        assert b"".join(source.stream(entry, middle.start, 50_000)) == whole[middle]
    assert [fingerprint(folder) for folder in volumes] == before_ro
    assert [{n: v[:2] for n, v in f.items()} for f in before_ro] == [
        {n: v[:2] for n, v in f.items()} for f in before
    ]


def test_two_splits_are_the_same(bundle: Path, volumes: list[Path], tmp_path: Path) -> None:
    again = split(bundle, tmp_path / "again", SMALL).folders
    for one, other in zip(volumes, again, strict=True):
        assert one.name == other.name
        found = {name: value[0] for name, value in fingerprint(one).items()}
        assert found == {name: value[0] for name, value in fingerprint(other).items()}


def test_a_lost_volume_is_named_with_the_images_that_lack_it(
    volumes: list[Path], public: Path
) -> None:
    for lost in volumes:
        rest = [folder for folder in volumes if folder != lost]
        header = open_source([lost]).folders[0].header
        assert header is not None
        mine = header.volumes[header.number - 1]
        paths = {*mine.files, *(chunk.path for chunk in mine.chunks)}
        report = verify(rest, key=public)
        missing = {line.partition(":")[0] for line in report.findings}
        assert missing == paths
        assert all(lost.name in line for line in report.findings)
        shared = any(chunk for chunk in mine.chunks)
        if shared:
            assert set(report.incomplete) == {
                "registry.example/ml/server:1",
                "registry.example/ml/worker:1",
            }
        assert all(labels == (lost.name,) for labels in report.incomplete.values())
        assert verify(rest, key=public, partial=True).findings == []


def test_a_foreign_volume_is_refused(
    volumes: list[Path], tmp_path: Path, key: Path, public: Path
) -> None:
    other = fill(Maker(tmp_path / "other"), top=b"another top layer")
    other.seal(key)
    foreign = split(other.folder, tmp_path / "foreign", SMALL).folders
    with pytest.raises(BundleDamaged) as caught:
        verify([*volumes[:-1], foreign[-1]], key=public)
    assert str(foreign[-1]) in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_damaged_header_a_damaged_part_and_a_damaged_list_are_named(
    volumes: list[Path], public: Path
) -> None:
    header = volumes[1] / layout.VOLUME
    original = header.read_bytes()
    header.write_bytes(original.replace(b'"number": 2', b'"number": 3'))
    with pytest.raises(BundleDamaged, match=layout.VOLUME):
        verify(volumes, key=public)
    header.write_bytes(original)
    part = next((volumes[0] / layout.CHUNKS).iterdir())
    content = bytearray(part.read_bytes())
    content[7] ^= 1
    part.unlink()
    part.write_bytes(content)
    assert any(str(part) in line for line in verify(volumes, key=public).findings)
    listed = volumes[2] / layout.BUNDLE
    raw = listed.read_bytes()
    listed.unlink()  # it is a hard link: the others keep theirs
    listed.write_bytes(raw.replace(b'"size": 6', b'"size": 8', 1))
    for given in (public, None):
        with pytest.raises(BundleDamaged, match=r"bundle\.json|sigstore") as caught:
            verify(volumes, key=given)
        assert str(volumes[2]) in str(caught.value)


def test_a_file_of_another_volume_is_an_alien(volumes: list[Path], public: Path) -> None:
    shutil.copy(volumes[0] / layout.OCI_LAYOUT, volumes[0] / "stray")
    assert any(line.startswith("stray") for line in verify(volumes, key=public).findings)


def test_volumes_that_hold_nothing_are_refused_with_the_size_that_would_do(
    bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        split(bundle, tmp_path / "v", 9000)
    assert caught.value.hint is not None
    least = int(caught.value.hint.split()[-2])
    assert split(bundle, tmp_path / "v", least).folders


def test_inspect_says_what_to_fetch_and_its_page_escapes_names(
    volumes: list[Path], tmp_path: Path
) -> None:
    found = inspect(volumes[1:])
    assert found.missing > 0
    assert all(row.fetch == (volumes[0].name,) for row in found.images)
    assert found.kinds["wheel"] == len(b"a wheel")
    assert json.loads(json.dumps(found.as_dict()))["licences"] == {"not stated": 2}
    page = html(found)
    assert volumes[0].name in page
    assert "http" not in page.replace("http-equiv", "")
    keys.generate(tmp_path / "k", tmp_path / "k.pub", phrase=None)
    with pytest.raises(InputError, match="already"):
        keys.generate(tmp_path / "k", tmp_path / "k2.pub", phrase=None)
