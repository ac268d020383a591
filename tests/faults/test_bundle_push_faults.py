"""A registry that refuses, forgets, stalls or lies: the push ends right, or says what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from mlops_infra.errors import FoundError
from offline_bundle import layout
from offline_bundle.push import Pushed, push, uploading
from offline_bundle.registry import RegistryError, load
from tests.bundles import Maker
from tests.fake_registry import Fault, Handler, State, fake_registry
from tests.registries import incompressible, registry

LAYER = incompressible(600_000, 7)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    made = Maker(tmp_path / "bundle")
    made.image("registry.example/a:1", [LAYER])
    made.image("registry.example/b:1", [LAYER])
    made.seal()
    return made


def run(maker: Maker, host: str) -> Pushed:
    return push([maker.folder], host, settings=load(plain_http=[host]))


def require_whole(maker: Maker, state: State) -> None:
    for image in maker.images:
        stored = layout.blob_file(maker.folder, image.digest).read_bytes()
        assert state.manifests[image.repository, "1"] == stored
    assert LAYER in state.content.values()


def first(count: int, method: str, part: str, fault: Fault) -> Fault:
    """`fault` for the first `count` requests of `method` whose path has `part`."""
    left = [count]

    def chosen(handler: Handler, asked: str, path: str) -> bool:
        if asked != method or part not in path or left[0] == 0:
            return False
        if method == "PUT" and int(handler.headers.get("Content-Length") or 0) < len(LAYER):
            return False
        left[0] -= 1
        return fault(handler, asked, path)

    return chosen


def answering(status: int, *, read: bool = True, **headers: str) -> Fault:
    def fault(handler: Handler, _method: str, _path: str) -> bool:
        if read:
            handler.body()
        handler.answer(status, **headers)
        return True

    return fault


def cutting(handler: Handler, _method: str, _path: str) -> bool:
    handler.take(100_000)
    return True


@pytest.mark.parametrize(
    "fault",
    [
        first(2, "PUT", "uploads", answering(500)),
        first(1, "PUT", "uploads", answering(404)),
        first(2, "PUT", "uploads", cutting),
        first(2, "POST", "uploads", answering(503)),
        first(1, "PUT", "manifests", answering(502)),
        first(1, "HEAD", "blobs", answering(429, read=False, Retry_After="0")),
    ],
    ids=["500", "lost session", "cut", "503", "manifest 502", "429 at HEAD"],
)
def test_a_fault_that_passes_is_got_over(maker: Maker, fault: Fault) -> None:
    with fake_registry(fault) as (host, state):
        run(maker, host)
        require_whole(maker, state)
        assert run(maker, host).actions == ()


def test_retry_after_is_waited_for(maker: Maker) -> None:
    fault = first(1, "POST", "uploads", answering(429, Retry_After="2"))
    with fake_registry(fault) as (host, state):
        begun = time.monotonic()
        run(maker, host)
        assert time.monotonic() - begun >= 2
        require_whole(maker, state)


def test_a_size_that_is_refused_is_sent_in_chunks_and_resumed(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "SMALL_CHUNK", 200_000)
    monkeypatch.setattr(uploading, "LEAST_CHUNK", 1_000)
    cut = [True]

    def fault(handler: Handler, method: str, path: str) -> bool:
        length = int(handler.headers.get("Content-Length") or 0)
        if method in {"PUT", "PATCH"} and "uploads" in path and length > 100_000:
            handler.body()
            handler.answer(413)
            return True
        start = handler.headers.get("Content-Range", "").partition("-")[0]
        if method == "PATCH" and start == "100000" and cut:
            cut.clear()
            session = state.sessions[path.rpartition("/")[2]]
            session += handler.take(20_000)  # it has kept what came before the cut
            return True
        return False

    with fake_registry(fault) as (host, state):
        run(maker, host)
        require_whole(maker, state)
        patches = [line for line in state.seen if line.startswith("PATCH")]
        # 200 kB is refused, a quarter of it is not: 50 kB each, and one that was cut
        assert 12 <= len(patches) <= 16
        assert cut == []


def test_a_token_that_ends_during_an_upload_is_traded_again(
    maker: Maker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    issued: list[str] = []

    def fault(handler: Handler, method: str, path: str) -> bool:
        if path == "/token":
            issued.append(f"t{len(issued)}")
            handler.answer(200, json.dumps({"token": issued[-1], "expires_in": 300}).encode())
            return True
        said = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        large = int(handler.headers.get("Content-Length") or 0) >= len(LAYER)
        if said in issued and not (large and "ended" not in state_of and not ended(said)):
            return False
        handler.body()
        host = handler.headers["Host"]
        challenge = f'Bearer realm="http://{host}/token",service="s"'
        handler.answer(401, WWW_Authenticate=challenge)
        return True

    state_of: dict[str, str] = {}

    def ended(token: str) -> bool:
        state_of["ended"] = token
        issued.remove(token)
        issued.insert(0, "nobody has this one")
        return False

    with fake_registry(fault) as (host, state):
        run(maker, host)
        require_whole(maker, state)
        assert state_of["ended"] not in issued


def test_credentials_do_not_follow_an_upload_to_another_host(
    maker: Maker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))

    def protected(handler: Handler, _method: str, _path: str) -> bool:
        if handler.headers.get("Authorization"):
            return False
        handler.body()
        handler.answer(401, WWW_Authenticate="Basic realm=site")
        return True

    with fake_registry() as (elsewhere, other), fake_registry(protected) as (host, state):
        auths = {host: {"auth": "dXNlcjpjYW5hcnktc2VjcmV0"}}
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))
        # the same store behind two names, as with a registry in front of an object store
        other.sessions, other.blobs, other.content = state.sessions, state.blobs, state.content
        state.location = f"http://{elsewhere}"
        run(maker, host)
        require_whole(maker, state)
        assert any(line.startswith("PUT") for line in other.seen)
        assert not any("dXNlcjpjYW5hcnktc2VjcmV0" in line for line in other.seen)
        assert any("dXNlcjpjYW5hcnktc2VjcmV0" in line for line in state.seen)


def test_a_registry_that_does_not_mount_gets_the_bytes(maker: Maker) -> None:
    with fake_registry() as (host, state):
        state.mounts = False
        run(maker, host)
        require_whole(maker, state)
        refused = sum("mount=" in line for line in state.seen)
        given_back = sum(line.startswith("DELETE") for line in state.seen)
        assert refused == given_back == 2  # the layer and the config that both have


def test_a_blob_damaged_on_the_medium_is_named_and_no_image_appears(maker: Maker) -> None:
    largest = max((maker.folder / "blobs/sha256").iterdir(), key=lambda f: f.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[9] ^= 1
    largest.write_bytes(content)
    with fake_registry() as (host, state):
        with pytest.raises(FoundError, match=largest.name):
            run(maker, host)
        assert state.manifests == {}


def test_a_registry_that_keeps_failing_is_given_up_with_its_status(
    maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_infra.transport.retrying.ATTEMPTS", 2)
    with fake_registry(first(999, "PUT", "uploads", answering(500))) as (host, state):
        with pytest.raises(RegistryError, match="500"):
            run(maker, host)
        assert state.manifests == {}


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_registry_whose_disk_is_full_is_completed_when_there_is_space(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_infra.transport.retrying.ATTEMPTS", 2)
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a tmpfs")
    try:
        with registry(place) as host:
            with pytest.raises(RegistryError, match="500"):
                run(maker, host)
            subprocess.run(["mount", "-o", "remount,size=20m", str(place)], check=True)
            assert run(maker, host).actions
            assert run(maker, host).actions == ()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
