"""Upstream's images for the embedded node, from registries on loopback."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_infra import images
from mlops_infra.errors import InputError, MlopsError, OperationFailed
from mlops_infra.images import pulled
from mlops_infra.images.answers import Remembered, remembered
from mlops_infra.progress import quiet
from offline_bundle.pull import Mirrors, ask, pull, pulling, read_mirrors
from offline_bundle.registry import DigestMismatch, Host, Settings
from tests.bundles import Maker
from tests.hostile import Handler, Script, serving
from tests.registries import INDEX, digest, encode, incompressible

LAYERS = [incompressible(400_000, seed) for seed in (1, 2)]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("MLOPS_INFRA_BUNDLE", raising=False)
    monkeypatch.setattr(pulling, "target", lambda: "linux/amd64")
    monkeypatch.setattr("mlops_infra.transport.retrying._FIRST_SECONDS", 0.001)


class Site:
    """A registry with `team/app:1` for two platforms; only one of them can be fetched."""

    def __init__(self, script: Script, host: str) -> None:
        self.script, self.host = script, host
        self.reference = f"{host}/team/app:1"
        self.mirrors = Mirrors(Settings({host: Host(plain_http=True)}))
        self.own = script.image(host, "team/app", LAYERS).digest
        children = [("amd64", self.own), ("arm64", digest(b"another platform"))]
        self.put(
            "1",
            [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": name,
                    "size": len(script.manifests.get(name, b"")),
                    "platform": {"os": "linux", "architecture": architecture},
                }
                for architecture, name in children
            ],
        )

    def put(self, tag: str, children: list[dict[str, object]]) -> None:
        index = encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": children})
        self.script.manifests |= {tag: index, digest(index): index}

    def ask(self, *names: str) -> dict[str, Remembered]:
        references = [f"{self.host}/{name}" for name in names]
        return ask(references, self.mirrors, remembered())


@pytest.fixture
def site() -> Iterator[Site]:
    script = Script()
    with serving(script) as host:
        yield Site(script, host)


def test_a_registry_is_asked_once(site: Site) -> None:
    there, gone = f"{site.host}/team/app:1", f"{site.host}/team/app:2"
    site.ask("team/app:1", "team/app:2")
    found = images.answers()
    assert found[there] == (True, f"{site.host} has it")
    assert found[gone] == (False, f"{site.host} does not have it")
    before = len(site.script.asked)
    assert site.ask("team/app:1", "team/app:2") == {}
    assert len(site.script.asked) == before


def test_who_was_not_let_in_is_told_to_log_in_and_asks_again(site: Site) -> None:
    def closed(request: Handler) -> bool:
        if "app/manifests/1" not in request.path:
            return False
        request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": "Basic realm=site"})
        return True

    site.script.guard = closed
    site.ask("team/app:1", "team/app:2")
    found = images.answers()
    refused = f"{site.host} refuses it (401): docker login {site.host}"
    assert found[site.reference] == (False, refused)
    assert found[f"{site.host}/team/app:2"] == (False, f"{site.host} does not have it")
    site.script.guard = None
    assert site.ask("team/app:1", "team/app:2").keys() == {site.reference}
    assert images.answers()[site.reference].there


def test_a_registry_that_was_not_reached_is_asked_again() -> None:
    with serving(Script()) as host:
        pass
    reference = f"{host}/team/app:1"
    mirrors = Mirrors(Settings({host: Host(plain_http=True)}))
    for _ in range(2):  # nothing listens there any more
        found = ask([reference], mirrors, remembered())
        assert not found[reference].there
        assert f"{host} cannot be reached: " in found[reference].why


def test_another_mirror_is_asked_anew(site: Site, tmp_path: Path) -> None:
    reference = "registry.example/app:1"
    ask([reference], Mirrors(closed=True), {})
    assert images.answers()[reference] == (False, "the network is closed")
    file = tmp_path / "nodes" / "registry.example" / "hosts.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'[host."http://{site.host}/v2/team"]\noverride_path = true\n')
    mirrors = read_mirrors(tmp_path / "nodes")
    assert ask([reference], mirrors, remembered())[reference].there
    assert site.script.asked[-1][1] == "/v2/team/app/manifests/1"
    (built,) = pull([reference], mirrors, quiet)
    assert (built.reference, built.digest) == (reference, site.own)


def test_a_closed_network_asks_its_own_registry_alone(site: Site) -> None:
    closed = replace(site.mirrors, own=frozenset({site.host}), closed=True)
    found = ask([site.reference, "ghcr.io/a/b:1"], closed, {})
    assert found[site.reference].there
    assert found["ghcr.io/a/b:1"].why == "the network is closed"
    with pytest.raises(OperationFailed, match=r"ghcr\.io/a/b:1"):
        pull(["ghcr.io/a/b:1"], closed, quiet)


def test_mirrors_without_checked_certificates_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "ghcr.io" / "hosts.toml"
    file.parent.mkdir()
    file.write_text('[host."https://mirror.example"]\nskip_verify = true\n')
    with pytest.raises(InputError, match="certificates"):
        read_mirrors(tmp_path)


def test_the_image_of_this_machine_is_pulled_once(site: Site) -> None:
    (built,) = pull([site.reference], site.mirrors, quiet)
    assert (built.digest, built.size) == (site.own, sum(map(len, LAYERS)))
    for content in LAYERS:
        name = digest(content).removeprefix("sha256:")
        assert (built.layout / "blobs" / "sha256" / name).read_bytes() == content
    before = len(site.script.asked)
    assert pull([site.reference], site.mirrors, quiet) == [built]
    assert len(site.script.asked) == before
    assert images.answers()[site.reference].there


def test_an_interrupted_pull_goes_on_where_it_stopped(site: Site) -> None:
    def refused(request: Handler, content: bytes, start: int) -> bool:
        if start == 0 and content == LAYERS[0]:
            request.part(content, 0, 300_000)
            request.cut()
        else:
            request.error(403, "DENIED")
        return True

    site.script.always = refused
    with pytest.raises(MlopsError):
        pull([site.reference], site.mirrors, quiet)
    assert pulled.find(site.reference) is None
    site.script.always = None
    site.script.sent = 0
    pull([site.reference], site.mirrors, quiet)
    assert site.script.sent < sum(map(len, LAYERS)) - 100_000


def test_other_bytes_than_the_digest_names_are_never_an_image(site: Site) -> None:
    def changed(request: Handler, content: bytes, start: int) -> bool:
        request.part(b"x" * len(content), start)
        return True

    site.script.always = changed
    with pytest.raises(DigestMismatch):
        pull([site.reference], site.mirrors, quiet)
    assert pulled.find(site.reference) is None


def test_a_pull_again_follows_the_tag(site: Site) -> None:
    (old,) = pull([site.reference], site.mirrors, quiet)
    fresh = site.script.image(site.host, "team/app", [LAYERS[0]])
    site.script.manifests["1"] = site.script.manifests[fresh.digest]
    assert pull([site.reference], site.mirrors, quiet) == [old]
    (new,) = pull([site.reference], site.mirrors, quiet, again=True)
    assert new.digest == fresh.digest
    assert pull([site.reference], site.mirrors, quiet) == [new]


def test_an_image_for_other_machines_alone_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "target", lambda: "linux/s390x")
    with pytest.raises(OperationFailed, match="s390x"):
        pull([site.reference], site.mirrors, quiet)


def test_what_a_bundle_holds_is_used_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Maker(tmp_path / "bundle")
    maker.index("ghcr.io/team/app:1", {"amd64": LAYERS, "arm64": [b"other"]})
    maker.seal(None)
    monkeypatch.setenv("MLOPS_INFRA_BUNDLE", str(maker.folder))
    assert images.answers()["ghcr.io/team/app:1"] == (True, "in the bundle")
    (built,) = pull(["ghcr.io/team/app:1"], Mirrors(closed=True), quiet)
    assert (built.layout, built.size) == (maker.folder, sum(map(len, LAYERS)))


def test_a_node_asks_for_a_digest_without_its_tag(site: Site) -> None:
    top = digest(site.script.manifests["1"])
    (built,) = pull([f"{site.reference}@{top}"], site.mirrors, quiet)
    assert (built.reference, built.digest) == (f"{site.host}/team/app@{top}", site.own)


def test_what_was_pulled_and_not_used_is_pruned_with_its_blobs_alone(site: Site) -> None:
    fresh = site.script.image(site.host, "team/app", [LAYERS[0]])
    site.script.manifests["2"] = site.script.manifests[fresh.digest]
    (old, new) = pull([site.reference, f"{site.host}/team/app:2"], site.mirrors, quiet)
    month = time.time() - 30 * 86_400
    for file in old.layout.rglob("*"):
        if file.is_file() and "records" not in file.parts:
            os.utime(file, (month, month))
    (record,) = pulled.unused(time.time() + 60).keys() - _records_of(new.name)
    os.utime(record, (month, month))
    done = images.prune(14)
    assert done.images == (site.reference,)
    assert done.freed > len(LAYERS[1])
    assert pulled.find(site.reference) is None
    assert pulled.find(new.name) == new


def _records_of(reference: str) -> set[Path]:
    found = pulled.unused(time.time() + 60)
    return {file for file, name in found.items() if name == reference}
