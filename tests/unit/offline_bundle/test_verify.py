"""Verify names every file that is not as it was signed, and ends with its own exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_infra import contract
from mlops_infra.errors import InputError, MissingError
from offline_bundle import layout, lockfile
from offline_bundle.model import Found
from offline_bundle.sealing import keys, seal
from offline_bundle.verify import BundleDamaged, verify
from offline_bundle.verify.closure import closure
from tests.bundles import Maker


def layer(bundle: Path) -> Path:
    return max((bundle / "blobs" / "sha256").iterdir(), key=lambda file: file.stat().st_size)


def manifest(bundle: Path) -> Path:
    index = json.loads((bundle / layout.INDEX).read_bytes())
    return layout.blob_file(bundle, index["manifests"][0]["digest"])


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def findings(bundle: Path, key: Path) -> list[str]:
    with pytest.raises(BundleDamaged) as caught:
        verify([bundle], key=key).require_clean()
    assert caught.value.exit_code == 3
    return list(caught.value.findings)


def test_an_untouched_bundle_is_good(bundle: Path, public: Path) -> None:
    report = verify([bundle], key=public)
    assert report.findings == []
    assert report.signature == "good"
    assert report.size == sum(
        file.stat().st_size
        for file in bundle.rglob("*")
        if file.is_file() and file.name not in layout.UNLISTED
    )
    assert verify([bundle], key=None).signature == "not checked"


@pytest.mark.parametrize(
    "find",
    [
        layer,
        manifest,
        lambda b: b / layout.INDEX,
        lambda b: b / layout.OCI_LAYOUT,
        lambda b: b / layout.LOCK,
        lambda b: b / layout.BUNDLE,
        lambda b: b / layout.SIGNATURE,
        lambda b: b / layout.SIGSTORE,
        lambda b: next(b.glob("wheels/**/*.whl")),
        lambda b: next(b.glob("plugins/*")),
        lambda b: next(b.glob("binaries/*")),
    ],
    ids=["layer", "manifest", "index", "oci-layout", "lock", "list", "signature", "sigstore",
         "wheel", "plugin", "binary"],
)  # fmt: skip
def test_one_flipped_bit_is_found(bundle: Path, public: Path, find: Callable[[Path], Path]) -> None:
    file = find(bundle)
    original = file.read_bytes()
    flip(file)
    name = file.relative_to(bundle).as_posix()
    assert any(
        name in line or (name == layout.SIGNATURE and layout.BUNDLE in line)
        for line in findings(bundle, public)
    )
    file.write_bytes(original)
    assert verify([bundle], key=public).findings == []


def test_truncated_missing_alien_and_renamed_files_are_named(bundle: Path, public: Path) -> None:
    cut, gone = layer(bundle), next(bundle.glob("binaries/*"))
    os.truncate(cut, 5)
    gone.unlink()
    (bundle / "blobs" / "sha256" / ("0" * 64)).write_bytes(b"alien")
    wheel = next(bundle.glob("wheels/**/*.whl"))
    wheel.rename(wheel.with_name("other.whl"))
    found = "\n".join(findings(bundle, public))
    assert f"{cut.relative_to(bundle)}: has 5 bytes, listed are 300000" in found
    assert f"{gone.relative_to(bundle)}: missing" in found
    assert f"{'0' * 64}: not in bundle.json" in found
    assert f"{wheel.name}: missing" in found
    assert "other.whl: not in bundle.json" in found


def test_a_link_is_refused_wherever_it_leads(bundle: Path, public: Path, tmp_path: Path) -> None:
    file = next(bundle.glob("binaries/*"))
    same = tmp_path / "same"
    file.rename(same)
    file.symlink_to(same)
    (bundle / "files").symlink_to("/etc")
    found = "\n".join(findings(bundle, public))
    assert f"binaries/{file.name}: not a regular file" in found
    assert "files: not a regular file" in found


def test_another_key_is_refused_before_anything_is_read(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.generate(tmp_path / "other", tmp_path / "other.pub", phrase=None)
    monkeypatch.setattr("offline_bundle.verify.core.open_source", None)
    assert "not signed with this key" in findings(bundle, tmp_path / "other.pub")[0]


def test_a_bundle_without_signature_does_not_pass_for_a_signed_one(
    bundle: Path, public: Path
) -> None:
    (bundle / layout.SIGNATURE).unlink()
    (bundle / layout.SIGSTORE).unlink()
    assert "not signed" in findings(bundle, public)[0]
    assert verify([bundle], key=None).signature == "none"


@pytest.mark.parametrize("name", [layout.SIGNATURE, layout.SIGSTORE])
@pytest.mark.parametrize("left", [None, 0, 1, 40, -2], ids=str)
@pytest.mark.parametrize("known", [True, False], ids=["with the key", "without"])
def test_a_signature_file_that_is_missing_or_cut_off_is_found(
    bundle: Path, public: Path, name: str, left: int | None, known: bool
) -> None:
    file = bundle / name
    if left is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(BundleDamaged) as caught:
        verify([bundle], key=public if known else None).require_clean()
    assert any(line.startswith(name) for line in caught.value.findings)


def test_both_signature_files_cut_off_alike_are_found_without_the_key(bundle: Path) -> None:
    document = json.loads((bundle / layout.SIGSTORE).read_bytes())
    short = document["messageSignature"]["signature"][:20]
    document["messageSignature"]["signature"] = short
    (bundle / layout.SIGSTORE).write_text(json.dumps(document))
    (bundle / layout.SIGNATURE).write_text(short + "\n")
    assert any(layout.SIGNATURE in line for line in findings_of(bundle))


def test_a_signed_list_with_an_escaping_path_is_refused(
    bundle: Path, key: Path, public: Path
) -> None:
    from offline_bundle.sealing import signature

    raw = json.loads((bundle / layout.BUNDLE).read_bytes())
    raw["files"][0]["path"] = "../outside"
    content = json.dumps(raw).encode()
    private = keys.read_private(key)
    (bundle / layout.BUNDLE).write_bytes(content)
    text = signature.sign(content, private)
    (bundle / layout.SIGNATURE).write_bytes(text)
    (bundle / layout.SIGSTORE).write_bytes(signature.sigstore(content, text, private.public_key()))
    assert "../outside" in findings(bundle, public)[0]


def test_an_unfinished_build_and_no_bundle_at_all(bundle: Path, public: Path) -> None:
    (bundle / layout.WORK).mkdir()
    assert any("is not finished" in line for line in findings(bundle, public))
    with pytest.raises(InputError, match="not a bundle"):
        verify([bundle / "blobs"], key=public)


def test_a_layer_that_is_in_no_list_is_found_by_its_manifest(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "bundle")
    maker.image("registry.example/a:1", [b"layer"])
    blob = maker.blob(b"layer")
    maker.seal()
    layout.blob_file(maker.folder, blob.digest).unlink()
    lock = lockfile.read_lock(maker.folder / layout.LOCK)
    seal(maker.folder, type(lock)(lock.stack, lock.platform, lock.python), key=None)
    found = findings_of(maker.folder)
    assert any(blob.digest.partition(":")[2] in line for line in found)


def findings_of(bundle: Path) -> list[str]:
    return verify([bundle], key=None).findings


def test_closure_names_what_is_lacking_and_where_it_is_used(bundle: Path) -> None:
    lock = lockfile.read_lock(bundle / layout.LOCK)
    places = [Found("charts/mlflow/values.yaml: images.server")]
    needed = [
        ("image", "registry.example/ml/server:1", places),
        ("image", "registry.example/ml/other:1", places),
        ("wheel", "click 8.1.7", [Found("requirements.lock")]),
    ]
    image, place = "registry.example/ml/other:1", places[0].where
    assert closure(lock, needed) == [
        f"image {image}: not in the bundle; required by {place}",
        "wheel click 8.1.7: not in the bundle; required by requirements.lock",
    ]


def test_sealing_twice_gives_the_same_bytes_and_a_passphrase_is_never_guessed(
    bundle: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: (bundle / name).read_bytes() for name in (layout.BUNDLE, layout.SIGNATURE)}
    locked, public = tmp_path / "locked", tmp_path / "locked.pub"
    keys.generate(locked, public, phrase=b"secret canary")
    assert locked.stat().st_mode & 0o077 == 0
    lock = lockfile.read_lock(bundle / layout.LOCK)
    with pytest.raises(MissingError, match="passphrase"):
        seal(bundle, lock, key=locked)
    seal(bundle, lock, key=key)
    assert {name: (bundle / name).read_bytes() for name in before} == before
    phrase = tmp_path / "phrase"
    phrase.write_text("secret canary\n")
    monkeypatch.setenv(contract.BUNDLE_PASSPHRASE_FILE_VARIABLE, str(phrase))
    seal(bundle, lock, key=locked)
    assert verify([bundle], key=public).signature == "good"
    assert not any(
        b"secret canary" in file.read_bytes() for file in bundle.rglob("*") if file.is_file()
    )
