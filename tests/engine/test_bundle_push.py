"""Pushes into a real registry, looked at through its access log and by other people's programs."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlops_infra.errors import FoundError
from offline_bundle import layout
from offline_bundle.differential.base import read_base
from offline_bundle.differential.thin import thin
from offline_bundle.model import Blob
from offline_bundle.prune.pruning import prune
from offline_bundle.push import Pushed, push
from offline_bundle.push import receipt as receipts
from offline_bundle.registry import load
from offline_bundle.sealing import keys
from offline_bundle.volumes import split
from tests.bundles import Maker
from tests.registries import incompressible, registry
from tests.tools import go_program

SHARED = incompressible(400_000, 1)
SERVER, WORKER, MULTI = (f"registry.example/ml/{name}:1" for name in ("server", "worker", "multi"))
SPARSE_ALLOWED = "validation: {manifests: {indexes: {platforms: none}}}\n"
SPARSE_REFUSED = "validation: {manifests: {indexes: {platforms: all}}}\n"


@dataclass(frozen=True)
class Site:
    host: str
    folder: Path

    def push(self, *folders: Path, **more: object) -> Pushed:
        settings = load(plain_http=[self.host])
        return push(folders, f"{self.host}/site", settings=settings, **more)  # type: ignore[arg-type]

    def requests(self) -> list[str]:
        """`METHOD path` of every request so far."""
        found = []
        for line in (self.folder / "log").read_text().splitlines():
            parts = line.split('"')
            if len(parts) > 2 and "HTTP/1." in parts[1]:
                found.append(" ".join(parts[1].split()[:2]))
        return found

    def raw(self, path: str, target: str) -> tuple[str | None, bytes]:
        """Digest and content of a manifest; None where there is none."""
        connection = http.client.HTTPConnection(self.host, timeout=10)
        kinds = ", ".join(sorted(layout.MANIFEST_TYPES | layout.INDEX_TYPES))
        connection.request("GET", f"/v2/site/{path}/manifests/{target}", headers={"Accept": kinds})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        digest = reply.headers["Docker-Content-Digest"] if reply.status == 200 else None
        return digest, content


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "registry"
    with registry(folder, more=SPARSE_ALLOWED) as host:
        yield Site(host, folder)


def two_images(folder: Path, *, top: bytes = b"worker", more: bool = False) -> Maker:
    maker = Maker(folder)
    maker.image(SERVER, [SHARED, b"server"])
    maker.image(WORKER, [SHARED, top])
    if more:
        maker.image("registry.example/ml/extra:1", [SHARED, b"extra"])
        maker.image("registry.example/ml/same-under-another-name:1", [SHARED, b"server"])
    maker.seal()
    return maker


def test_shared_layers_travel_once_and_a_second_push_asks_only(site: Site, tmp_path: Path) -> None:
    maker = two_images(tmp_path / "bundle")
    planned = site.push(maker.folder, dry_run=True)
    assert not any(line.startswith(("POST", "PUT")) for line in site.requests())
    done = site.push(maker.folder)
    assert done.actions == planned.actions
    lines = site.requests()
    uploads = Counter(
        line.partition("digest=")[2] for line in lines if line.startswith("PUT") and "blobs" in line
    )
    # the shared layer, two tops, two configs
    assert len(uploads) == 5
    assert set(uploads.values()) == {1}
    assert sum("mount=" in line for line in lines) == 1
    assert "manifests" in lines[-1]
    assert "manifests" in lines[-2]
    before = len(lines)
    assert site.push(maker.folder).actions == ()
    assert {line.split()[0] for line in site.requests()[before:]} == {"HEAD"}
    assert len(site.requests()) - before == 2
    for image in maker.images:
        path = image.repository
        assert site.raw(path, "1")[0] == image.digest
        stored = layout.blob_file(maker.folder, image.digest).read_bytes()
        assert site.raw(path, "1")[1] == stored


def test_other_peoples_programs_find_the_images_whole(site: Site, tmp_path: Path) -> None:
    crane, regctl = go_program("crane"), go_program("regctl")
    if crane is None or regctl is None:
        pytest.skip("crane and regctl cannot be compiled here")
    maker = two_images(tmp_path / "bundle")
    site.push(maker.folder)
    for image in maker.images:
        name = f"{site.host}/site/{image.reference}"
        subprocess.run([crane, "validate", "--insecure", "--remote", name, "--fast"], check=True)
        command = [regctl, "--host", f"reg={site.host},tls=disabled", "manifest", "head", name]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert said.strip() == image.digest


def test_volumes_one_at_a_time_in_any_order(site: Site, tmp_path: Path) -> None:
    maker = two_images(tmp_path / "bundle")
    volumes = split(maker.folder, tmp_path / "volumes", 128 << 10).folders
    assert len(volumes) > 3
    with pytest.raises(FoundError) as caught:
        site.push(*volumes[1:])
    assert all(volumes[0].name in line for line in caught.value.findings)
    assert not any(line.startswith(("POST", "PUT")) for line in site.requests())
    staging = tmp_path / "staging"
    for volume in (*volumes[::-1][:-1], volumes[-1]):
        left = site.push(volume, partial=True, staging=staging).incomplete
        assert left
        assert volume.name not in {label for labels in left.values() for label in labels}
    assert site.push(volumes[0], partial=True, staging=staging).incomplete == {}
    assert not any(staging.iterdir())
    for image in maker.images:
        assert site.raw(image.repository, "1")[0] == image.digest


def test_a_difference_needs_its_base_and_then_carries_the_new_alone(
    site: Site, tmp_path: Path
) -> None:
    first = two_images(tmp_path / "first")
    second = two_images(tmp_path / "second", top=b"moved tag", more=True)
    keys.generate(tmp_path / "site", tmp_path / "site.pub", phrase=None)
    receipt = tmp_path / "receipt.json"
    full = {image.reference: image.digest for image in second.images}
    site.push(first.folder, receipt=receipt, key=tmp_path / "site")
    base = read_base([receipt], key=tmp_path / "site.pub")
    assert not any(image.digest.partition(":")[2] in base.held for image in first.images)
    thin(second.folder, base)
    assert not layout.blob_file(second.folder, Maker(tmp_path / "x").blob(SHARED).digest).exists()
    with registry(tmp_path / "empty") as host, pytest.raises(FoundError) as caught:
        push([second.folder], host, settings=load(plain_http=[host]))
    assert len(caught.value.findings) == 4
    done = site.push(second.folder)
    assert done.uploaded < 1000
    assert {r: site.raw(r.partition(":")[0], "1")[0] for r in full} == full
    assert done.receipt is not None
    assert done.receipt.images == site.push(second.folder).receipt.images  # type: ignore[union-attr]


@pytest.mark.parametrize("allowed", [True, False])
def test_an_index_of_which_platforms_were_left_out(tmp_path: Path, *, allowed: bool) -> None:
    maker = Maker(tmp_path / "bundle")
    index = maker.index(MULTI, {"amd64": [SHARED], "arm64": []}, omit=["arm64"])
    maker.seal()
    child = json.loads(layout.blob_file(maker.folder, index.digest).read_bytes())["manifests"][0]
    more = SPARSE_ALLOWED if allowed else SPARSE_REFUSED
    with registry(tmp_path / "registry", more=more) as host:
        site = Site(host, tmp_path / "registry")
        done = site.push(maker.folder)
        named = index.digest if allowed else child["digest"]
        assert site.raw("registry.example/ml/multi", "1")[0] == named
        assert site.raw("registry.example/ml/multi", child["digest"])[0] == child["digest"]
        assert done.receipt is not None
        assert done.receipt.images[0].digest == named
        assert site.push(maker.folder).actions == ()


def test_a_signature_is_found_from_its_image_and_listed_once(site: Site, tmp_path: Path) -> None:
    maker = Maker(tmp_path / "bundle")
    image = maker.image(SERVER, [SHARED])
    signature = maker.refer(SERVER, image, b"a signature")
    other = maker.refer(SERVER, image, b"an attestation")
    maker.seal()
    for _ in range(2):
        site.push(maker.folder)
        assert referrers(site, image) == {signature.digest, other.digest}
    assert site.push(maker.folder).actions == ()


def referrers(site: Site, image: Blob) -> set[str]:
    _, content = site.raw("registry.example/ml/server", image.digest.replace(":", "-"))
    listed = [each["digest"] for each in json.loads(content)["manifests"]]
    assert len(listed) == len(set(listed))
    return set(listed)


def test_prune_takes_what_neither_bundle_nor_pod_uses(site: Site, tmp_path: Path) -> None:
    first, second = two_images(tmp_path / "first"), two_images(tmp_path / "second", top=b"new")
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    site.push(first.folder, receipt=old)
    site.push(second.folder, receipt=new)
    before = first.images[1].digest
    name = f"{site.host}/site"
    settings = load(plain_http=[site.host])
    pod = f"docker-pullable://{name}/{first.images[1].repository}@{before}"
    used = prune(name, [old], keep=[new], running=[pod], settings=settings, dry_run=False)
    assert used.removed == ()
    assert used.running == (WORKER,)
    planned = prune(name, [old], keep=[second.folder], running=[], settings=settings, dry_run=True)
    assert [each.digest for each in planned.removed] == [before]
    assert site.raw("registry.example/ml/worker", before)[0] == before
    done = prune(name, [old], keep=[new], running=[], settings=settings, dry_run=False)
    assert done == planned
    assert site.raw("registry.example/ml/worker", before)[0] is None
    assert site.push(second.folder).actions == ()
    assert receipts.read(new, key=None).images[1].digest == second.images[1].digest


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A signed bundle, its public key beside it."""
    keys.generate(tmp_path / "key", tmp_path / "key.pub", phrase=None)
    maker = Maker(tmp_path / "bundle")
    maker.image(SERVER, [SHARED])
    maker.seal(tmp_path / "key")
    return maker.folder


def test_openssl_accepts_the_signature_of_a_bundle(signed: Path) -> None:
    raw = signed.with_name("signature.der")
    raw.write_bytes(base64.b64decode((signed / layout.SIGNATURE).read_bytes()))
    command = ["openssl", "dgst", "-sha256", "-verify", signed.with_name("key.pub"), "-signature"]
    listed = signed / layout.BUNDLE
    assert subprocess.run([*command, raw, listed], capture_output=True).returncode == 0
    listed.write_bytes(listed.read_bytes() + b" ")
    assert subprocess.run([*command, raw, listed], capture_output=True).returncode != 0


def test_cosign_accepts_the_signature_of_a_bundle(signed: Path) -> None:
    # hundreds of modules: compiled where time does not matter, or by whoever wants to see it
    cosign = go_program("cosign", compiling=os.environ.get("MLOPS_INFRA_STORM") == "1")
    if cosign is None:
        pytest.skip("cosign was not compiled here before (MLOPS_INFRA_STORM=1 does)")
    key = signed.with_name("key.pub")
    command = [cosign, "verify-blob", "--key", key, "--insecure-ignore-tlog=true"]
    listed = signed / layout.BUNDLE
    for option, name in (("--bundle", layout.SIGSTORE), ("--signature", layout.SIGNATURE)):
        said = subprocess.run(
            [*command, option, signed / name, listed], capture_output=True, text=True
        )
        assert said.returncode == 0, said.stderr
    listed.write_bytes(listed.read_bytes() + b" ")
    changed = [*command, "--bundle", signed / layout.SIGSTORE, listed]
    assert subprocess.run(changed, capture_output=True).returncode != 0
