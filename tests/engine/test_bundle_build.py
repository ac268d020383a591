"""Lock and build against a real registry: what comes in is, byte for byte, what was there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_infra.errors import OperationFailed
from mlops_infra.progress import quiet
from offline_bundle import layout, lockfile
from offline_bundle.build import build
from offline_bundle.discover import Additions, WantedFile, discover
from offline_bundle.locking import make_lock
from offline_bundle.locking.files import lock_files
from offline_bundle.model import Lock
from offline_bundle.pack import program
from offline_bundle.registry import Host, RegistryError, Settings
from offline_bundle.verify.core import verify
from tests.registries import (
    INDEX,
    Put,
    digest,
    encode,
    incompressible,
    put_blob,
    put_image,
    put_index,
    put_manifest,
    registry,
)
from tests.tools import go_program

SHARED = incompressible(3 << 20, 1)
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
EMPTY = {"mediaType": layout.EMPTY_TYPE, "digest": layout.EMPTY_DIGEST, "size": 2}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
def sources(host: str) -> dict[str, Put]:
    """One of each kind that there is."""
    labels = {"org.opencontainers.image.licenses": "Apache-2.0"}
    single = put_image(host, "team/single", "1", [SHARED, b"one" * 999], labels=labels)
    children = {
        arch: put_image(host, "team/multi", None, [SHARED, arch.encode()], architecture=arch)
        for arch in ("amd64", "arm64")
    }
    multi = put_index(host, "team/multi", "v2", children)
    bare = put_image(host, "team/bare", None, [b"bare" * 9999])
    artifact = put_artifact(host, "team/artifact", "1", b"a model")
    signed = put_image(host, "team/signed", "1", [SHARED])
    tag = f"{signed.digest.replace(':', '-')}.sig"
    put_signature(host, "team/signed", tag)
    bill = put_artifact(host, "team/signed", None, b'{"bomFormat":"CycloneDX"}', subject=signed)
    # this registry has no referrers API: the specification's fallback is a tag
    listed = bill.descriptor(artifactType="application/vnd.cyclonedx+json")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [listed]}
    put_manifest(host, "team/signed", signed.digest.replace(":", "-"), index)
    return {
        "single": single,
        "multi": multi,
        "bare": bare,
        "artifact": artifact,
        "signed": signed,
        "arm64": children["arm64"],
    }


@pytest.fixture(scope="module")
def lock(host: str, sources: dict[str, Put]) -> Lock:
    return locked(
        host,
        *(sources[name] for name in ("single", "multi", "bare", "artifact")),
        sources["signed"],
    )


def put_signature(host: str, path: str, tag: str) -> Put:
    payload = b'{"critical":{}}'
    layer = {
        "mediaType": SIGNATURE,
        "digest": put_blob(host, path, payload),
        "size": len(payload),
        "annotations": {"dev.cosignproject.cosign/signature": "MEUCIQ=="},
    }
    config = encode({"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": []}})
    stored = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": put_blob(host, path, config),
        "size": len(config),
    }
    kind = "application/vnd.oci.image.manifest.v1+json"
    document = {"schemaVersion": 2, "mediaType": kind, "config": stored, "layers": [layer]}
    return put_manifest(host, path, tag, document)


def put_artifact(
    host: str, path: str, tag: str | None, content: bytes, subject: Put | None = None
) -> Put:
    put_blob(host, path, b"{}")
    layer = {
        "mediaType": "application/vnd.cyclonedx+json",
        "digest": put_blob(host, path, content),
        "size": len(content),
    }
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cyclonedx+json",
        "config": EMPTY,
        "layers": [layer],
    }
    if subject:
        document["subject"] = subject.descriptor()
    return put_manifest(host, path, tag, document)


def settings(host: str) -> Settings:
    return Settings({host: Host(plain_http=True)})


def locked(host: str, *images: Put, platforms: tuple[str, ...] = ()) -> Lock:
    add = Additions(images=[each.reference for each in images])
    needs = discover(None, quiet, add=add)
    return make_lock(needs, settings(host), quiet, platforms=platforms).lock


def entries(folder: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / layout.INDEX).read_bytes())["manifests"]
    return found


def test_every_manifest_is_the_source_s_own_and_everything_attached_comes_along(
    tmp_path: Path, host: str, lock: Lock, sources: dict[str, Put]
) -> None:
    folder = tmp_path / "bundle"
    build(lock, folder, settings(host), quiet)
    by_name = {each["annotations"].get(layout.REF_NAME): each for each in entries(folder)}
    for name in ("single", "multi", "bare", "artifact", "signed"):
        source = sources[name]
        assert by_name[source.reference]["digest"] == source.digest
        assert layout.blob_file(folder, source.digest).read_bytes() == source.content
    signed = sources["signed"]
    tag = f"{host}/team/signed:{signed.digest.replace(':', '-')}.sig"
    assert by_name[tag]["annotations"][layout.KIND] == "signature"
    bills = [each for each in entries(folder) if each.get("artifactType")]
    assert len(bills) == 1
    assert json.loads(layout.blob_file(folder, bills[0]["digest"]).read_bytes())["subject"] == {
        **signed.descriptor()
    }
    shared = [image for image in lock.images if digest(SHARED) in {b.digest for b in image.blobs}]
    assert len(shared) == 3
    assert next(i for i in lock.images if i.reference == sources["single"].reference).licence == (
        "Apache-2.0"
    )
    verify([folder], key=None).require_clean()


def test_an_index_of_more_platforms_keeps_its_bytes_and_only_the_wanted_children_come(
    tmp_path: Path, host: str, sources: dict[str, Put]
) -> None:
    build(locked(host, sources["multi"]), tmp_path / "one", settings(host), quiet)
    everything = locked(host, sources["multi"], platforms=("all",))
    build(everything, tmp_path / "all", settings(host), quiet)
    for folder, whole in ((tmp_path / "one", False), (tmp_path / "all", True)):
        index = layout.blob_file(folder, sources["multi"].digest)
        assert index.read_bytes() == sources["multi"].content
        assert layout.blob_file(folder, sources["arm64"].digest).exists() is whole


def test_an_image_for_other_machines_alone_is_refused(host: str, sources: dict[str, Put]) -> None:
    with pytest.raises(OperationFailed, match="is not available for linux/s390x"):
        locked(host, sources["multi"], platforms=("linux/s390x",))


def test_two_builds_anywhere_are_one_and_the_same_tree(
    tmp_path: Path, host: str, lock: Lock
) -> None:
    (tmp_path / "notes.txt").write_text("read me")
    kinds = (
        ("chart", "mlflow", "0.1.0", "mlflow-0.1.0.tgz", "project:charts/mlflow"),
        ("wheel", "mlops-infra", "0", program.filename(), "project:wheel"),
        ("file", "notes.txt", "", "notes.txt", f"file:{tmp_path}/notes.txt"),
    )
    files = lock_files([WantedFile(*each, found=()) for each in kinds], quiet)
    lock = replace(lock, files=files)
    # the clock is a fake: nobody can set that of the machine
    script = (
        "import os, sys, time\nnow = time.time\n"
        "time.time = lambda: now() + float(sys.argv[5])\n"
        "from pathlib import Path\nfrom mlops_infra.progress import quiet\n"
        "from offline_bundle.build import build\nfrom offline_bundle.lockfile import read_lock\n"
        "from offline_bundle.registry import Host, Settings\nos.umask(int(sys.argv[4], 8))\n"
        "build(read_lock(Path(sys.argv[1])), Path(sys.argv[2]),"
        " Settings({sys.argv[3]: Host(plain_http=True)}), quiet)\n"
    )
    file = tmp_path / "bundle.lock"
    lockfile.write_lock(lock, file)
    trees = []
    for name, umask, zone, words, later in (
        ("a", "077", "UTC", "C", "0"),
        ("b", "002", "Asia/Seoul", "C.UTF-8", "40000000"),
    ):
        place = str(tmp_path / name)
        command = [sys.executable, "-c", script, str(file), place, host, umask, later]
        # each makes its own archives
        cache = str(tmp_path / f"cache-{name}")
        variables = {**os.environ, "TZ": zone, "LC_ALL": words, "PYTHONHASHSEED": str(len(zone))}
        variables["MLOPS_INFRA_CACHE"] = cache
        subprocess.run(command, check=True, env=variables)
        trees.append(tree(tmp_path / name))
    assert trees[0] == trees[1]
    assert {"files/notes.txt", f"wheels/{program.filename()}"} <= trees[0].keys()


def test_a_folder_takes_another_lock_and_holds_nothing_of_the_first(
    tmp_path: Path, host: str, lock: Lock, sources: dict[str, Put]
) -> None:
    build(lock, tmp_path / "used", settings(host), quiet)
    smaller = locked(host, sources["single"])
    again = build(smaller, tmp_path / "used", settings(host), quiet)
    fresh = build(smaller, tmp_path / "fresh", settings(host), quiet)
    assert again.identity == fresh.identity
    assert again.fetched == 0
    assert tree(tmp_path / "used") == tree(tmp_path / "fresh")


def test_a_difference_fetches_only_what_the_base_lacks(
    tmp_path: Path, host: str, lock: Lock
) -> None:
    build(lock, tmp_path / "base", settings(host), quiet)
    changed = put_image(host, "team/single", "2", [SHARED, b"two" * 999])
    newer = lockfile.ordered(replace(lock, images=(*lock.images, *locked(host, changed).images)))
    delta = build(newer, tmp_path / "delta", settings(host), quiet, since=[tmp_path / "base"])
    whole = build(newer, tmp_path / "whole", settings(host), quiet)
    assert delta.identity == whole.identity
    assert not layout.blob_file(tmp_path / "delta", digest(SHARED)).exists()
    verify([tmp_path / "delta"], key=None, base=[tmp_path / "base"]).require_clean()


def test_a_moved_tag_is_told_and_a_missing_image_names_who_asks(host: str) -> None:
    first = put_image(host, "team/moving", "1", [b"first" * 99])
    before = locked(host, first)
    second = put_image(host, "team/moving", "1", [b"second" * 99])
    add = Additions(images=[second.reference])
    needs = discover(None, quiet, add=add)
    after = make_lock(needs, settings(host), quiet, previous=before)
    assert after.moved == (f"{first.reference} has moved from {first.digest} to {second.digest}",)
    gone = discover(None, quiet, add=Additions(images=[f"{host}/team/none:1"]))
    with pytest.raises(RegistryError, match=r"answers 404[\s\S]*required by --image"):
        make_lock(gone, settings(host), quiet)


def test_other_readers_take_the_bundle_as_it_is(
    tmp_path: Path, host: str, lock: Lock, sources: dict[str, Put]
) -> None:
    folder = tmp_path / "bundle"
    build(lock, folder, settings(host), quiet)
    regctl = go_program("regctl")
    if regctl is None:
        pytest.skip("regctl cannot be compiled here (no Go client, or no module proxy)")
    variables = {**os.environ, "HOME": str(tmp_path)}
    target = f"{host}/copied"
    subprocess.run([regctl, "registry", "set", "--tls=disabled", host], check=True, env=variables)
    for name in ("single", "artifact"):
        source = sources[name]
        command = [
            regctl,
            "image",
            "copy",
            f"ocidir://{folder}@{source.digest}",
            f"{target}:{name}",
        ]
        subprocess.run(command, check=True, env=variables, capture_output=True)
        read = [regctl, "manifest", "head", f"{target}:{name}"]
        done = subprocess.run(read, check=True, env=variables, capture_output=True, text=True)
        assert done.stdout.strip() == source.digest


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        file.relative_to(folder).as_posix(): (
            file.stat().st_mode,
            hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "",
        )
        for file in sorted(folder.rglob("*"))
    }
