"""A difference has only what is new; with its base it is the whole bundle, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_infra.errors import FoundError, InputError
from offline_bundle import layout
from offline_bundle.differential.base import read_base
from offline_bundle.differential.comparing import diff
from offline_bundle.differential.thin import thin
from offline_bundle.push import receipt as receipts
from offline_bundle.push.receipt import Receipt
from offline_bundle.verify import verify
from offline_bundle.volumes import open_source, split
from tests.bundles import Maker
from tests.unit.offline_bundle.conftest import SHARED, fill


@pytest.fixture
def newer(tmp_path: Path, key: Path) -> Path:
    maker = fill(Maker(tmp_path / "newer"), top=b"a new top layer")
    maker.image("registry.example/ml/extra:1", [SHARED])
    maker.file("binaries/kubectl-v1.34.4-linux-amd64", b"a new program")
    maker.seal(key)
    return maker.folder


def test_diff_names_new_images_moved_tags_and_the_bytes_to_carry(bundle: Path, newer: Path) -> None:
    found = diff([bundle], [newer])
    assert found.images_added == ("registry.example/ml/extra:1",)
    assert [each.name for each in found.images_changed] == ["registry.example/ml/worker:1"]
    assert [e.path for e in found.files_added] == ["binaries/kubectl-v1.34.4-linux-amd64"]
    assert SHARED not in {(newer / entry.path).read_bytes() for entry in found.new}
    assert found.size < 20_000
    assert diff([newer], [newer]).is_empty


def test_one_volume_of_each_is_enough_to_diff(bundle: Path, newer: Path, tmp_path: Path) -> None:
    whole = diff([bundle], [newer])
    old = split(bundle, tmp_path / "old", 100_000).folders
    new = split(newer, tmp_path / "new", 100_000).folders
    assert len(old) > 1
    assert {diff([old[0]], [volume]) for volume in new} == {whole}


def test_a_difference_and_its_base_are_the_whole_bundle(
    bundle: Path, newer: Path, public: Path
) -> None:
    whole = {e.path: (newer / e.path).read_bytes() for e in open_source([newer]).contents.entries}
    new = {entry.path for entry in diff([bundle], [newer]).new}
    thin(newer, read_base([bundle]))
    thin(newer, read_base([bundle]))  # a killed run is run again
    carried = {p.relative_to(newer).as_posix() for p in newer.rglob("*") if p.is_file()}
    small = {layout.OCI_LAYOUT, layout.INDEX, layout.LOCK} | layout.UNLISTED
    manifests = {path for path in carried if path in whole and len(whole[path]) < 1000}
    assert carried - small - manifests <= new
    assert new <= carried
    both = open_source([newer], base=[bundle])
    assert {e.path: b"".join(both.stream(e)) for e in both.contents.entries} == whole
    report = verify([newer], key=public, base=[bundle])
    assert report.findings == []
    assert report.left_to_base == 0
    assert verify([newer], key=public).left_to_base > 0


def test_the_wrong_base_is_refused_with_the_list(
    newer: Path, bundle: Path, tmp_path: Path, public: Path
) -> None:
    thin(newer, read_base([bundle]))
    wrong = Maker(tmp_path / "wrong")
    wrong.image("registry.example/other:1", [b"something else"])
    wrong.seal()
    found = verify([newer], key=public, base=[wrong.folder]).findings
    absent = json.loads((newer / layout.DELTA).read_bytes())["absent"]
    # what happens to be in the wrong base as well is no reason to complain
    lacking = [path for path in absent if not (wrong.folder / path).exists()]
    assert len(lacking) > 3
    assert [line.partition(":")[0] for line in found] == lacking
    assert all("the given base does not have it" in line for line in found)


def test_a_difference_can_be_split_and_a_damaged_one_is_found(
    newer: Path, bundle: Path, tmp_path: Path, public: Path
) -> None:
    thin(newer, read_base([bundle]))
    volumes = split(newer, tmp_path / "v", 64 << 10).folders
    assert verify(volumes, key=public, base=[bundle]).findings == []
    (newer / "binaries" / "kubectl-v1.34.4-linux-amd64").unlink()
    assert any("kubectl" in line for line in verify([newer], key=public, base=[bundle]).findings)


def test_a_receipt_is_a_base_only_with_the_receivers_signature(
    bundle: Path, newer: Path, tmp_path: Path, key: Path, public: Path
) -> None:
    entries = open_source([bundle]).contents.entries
    held = tuple(sorted(e.sha256 for e in entries if e.kind == "blob"))
    file = tmp_path / "receipt.json"
    receipts.write(Receipt("sha256:x", "registry.site", held, ()), file, key=key)
    base = read_base([file], key=public)
    assert base.kind == "receipt"
    delta = thin(newer, base)
    assert all(path.startswith("blobs/") for path in delta.absent)
    file.write_bytes(file.read_bytes().replace(b"registry.site", b"registry.evil"))
    with pytest.raises(FoundError, match="not signed"):
        read_base([file], key=public)
    file.write_text("{}")
    with pytest.raises(InputError, match="not a receipt"):
        read_base([file])
