"""What registries and the way to them do wrong, one by one: the right outcome each time."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra.errors import MlopsError
from mlops_infra.progress import Event, quiet
from offline_bundle import layout
from offline_bundle.fetch import BlobStore, fetch
from offline_bundle.model import LockedImage
from offline_bundle.registry import DigestMismatch, Host, Registries, RegistryError, Settings
from tests.hostile import Handler, Script, serving
from tests.registries import digest, incompressible

LAYERS = [incompressible(700_000, seed) for seed in (1, 2, 3)]
FIRST = max(LAYERS, key=lambda each: (len(each), digest(each)))


class Site:
    def __init__(self, host: str, script: Script, folder: Path) -> None:
        self.host = host
        self.script = script
        self.folder = folder
        self.image = script.image(host, "team/app", LAYERS)
        self.told = 0

    def fetch(self, *images: LockedImage, silence: float = 5) -> None:
        self.told = 0
        settings = Settings({self.host: Host(plain_http=True)}, silence=silence)
        with Registries(settings) as registries:
            fetch(images or [self.image], BlobStore(self.folder), registries, self._count)

    def _count(self, event: Event) -> None:
        self.told = event.done or 0

    def require_whole(self) -> None:
        for blob in self.image.blobs:
            content = layout.blob_file(self.folder, blob.digest).read_bytes()
            assert digest(content) == blob.digest
        assert self.told == sum(blob.size for blob in self.image.blobs), "the progress adds up"
        partial = self.folder / layout.PARTIAL
        assert not list(partial.iterdir())

    def blob_requests(self) -> list[tuple[str, str]]:
        return [
            (path.rpartition("/")[2], headers.get("Range", ""))
            for _, path, headers in self.script.asked
            if "/blobs/" in path
        ]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    script = Script()
    with serving(script) as host:
        yield Site(host, script, tmp_path / "bundle")


def reset_after(count: int) -> object:
    def trick(request: Handler, content: bytes, start: int) -> bool:
        request.part(content, start, start + count)
        request.cut()
        return True

    return trick


def test_a_lost_connection_is_continued_where_it_broke(site: Site) -> None:
    site.script.tricks = [reset_after(300_000) for _ in range(4)]
    site.fetch()
    site.require_whole()
    resumed = [asked for _, asked in site.blob_requests() if asked]
    assert resumed, "the rest is asked for, not all of it"
    assert site.script.sent < sum(map(len, LAYERS)) * 1.2


def test_a_server_without_ranges_sends_all_of_it_again(site: Site) -> None:
    def without_ranges(request: Handler, content: bytes, start: int) -> bool:
        if not start:
            return bool(reset_after(300_000)(request, content, 0)) if first.pop() else False
        request.part(content, 0)
        return True

    first = [False, False, True]
    site.script.always = lambda r, c, s: without_ranges(r, c, s) if first or s else False
    site.fetch()
    site.require_whole()


def test_a_wrong_content_range_is_not_used(site: Site) -> None:
    def shifted(request: Handler, content: bytes, start: int) -> bool:
        if not start:
            return False
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start + 9}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - start - 9))
        request.end_headers()
        request.pour(content[start + 9 :])
        return True

    site.script.tricks = [reset_after(100_000) for _ in LAYERS]
    site.script.always = lambda r, c, s: bool(s) and shifted(r, c, s)
    site.fetch()
    site.require_whole()


def test_too_many_requests_are_waited_for_as_long_as_asked(site: Site) -> None:
    def busy(request: Handler, content: bytes, start: int) -> bool:
        request.error(429, "TOOMANYREQUESTS", {"Retry-After": "2"})
        return True

    site.script.tricks = [busy]
    began = time.monotonic()
    site.fetch()
    site.require_whole()
    assert time.monotonic() - began >= 2


def test_a_flipped_bit_is_never_stored_under_a_good_name(site: Site) -> None:
    bad = digest(LAYERS[1])

    def flipped(request: Handler, content: bytes, start: int) -> bool:
        if digest(content) != bad:
            return False
        wrong = bytearray(content)
        wrong[500_000] ^= 1
        request.part(bytes(wrong), start)
        return True

    site.script.always = flipped
    with pytest.raises(DigestMismatch) as caught:
        site.fetch()
    text = str(caught.value)
    assert "team/app:1" in text
    assert f"expected {bad}, got sha256:" in text
    assert not layout.blob_file(site.folder, bad).exists()
    site.script.always = None
    site.fetch()
    site.require_whole()


def test_wrong_bytes_of_an_earlier_run_are_noticed_and_fetched_again(site: Site) -> None:
    store = BlobStore(site.folder)
    store.partial(digest(FIRST)).write_bytes(b"x" * 400_000)
    store.put(b"y" * len(LAYERS[0]), digest(LAYERS[0]))
    (site.folder / layout.WORK / "stamps").unlink()
    site.fetch()
    site.require_whole()


def test_a_silent_server_is_left_and_asked_again(site: Site) -> None:
    def stalled(request: Handler, content: bytes, start: int) -> bool:
        request.part(content, start, start + 100_000)
        time.sleep(1.2)
        request.cut()
        return True

    site.script.tricks = [stalled]
    site.fetch(silence=0.5)
    site.require_whole()


def test_a_short_body_with_the_right_status_is_completed(site: Site) -> None:
    def short(request: Handler, content: bytes, start: int) -> bool:
        request.send_response(200)
        request.send_header("Content-Length", "200000")
        request.end_headers()
        request.pour(content[:200_000])
        return True

    site.script.tricks = [short, short]
    site.fetch()
    site.require_whole()


def test_a_token_that_ends_is_traded_for_another(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traded: list[str] = []
    used: dict[str, int] = {}

    def guard(request: Handler) -> bool:
        if request.path.startswith("/token"):
            given = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
            assert given == b"me:canary-password"
            traded.append(f"canary-token-{len(traded)}")
            request.whole(json.dumps({"token": traded[-1]}).encode(), "application/json")
            return True
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        used[token] = used.get(token, 0) + 1
        if token not in traded or used[token] > 2:
            challenge = f'Bearer realm="http://{site.host}/token",service="here"'
            request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})
            return True
        return False

    write_credentials(tmp_path, site.host, monkeypatch)
    site.script.guard = guard
    site.fetch()
    site.require_whole()
    assert len(traded) > 1
    left = b"".join(each.read_bytes() for each in site.folder.rglob("*") if each.is_file())
    assert b"canary" not in left


def test_no_credentials_follow_a_redirect_to_another_host(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Script(blobs=site.script.blobs)
    write_credentials(tmp_path, site.host, monkeypatch)

    def basic(request: Handler) -> bool:
        if "Authorization" in request.headers:
            return False
        request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="here"'})
        return True

    site.script.guard = basic
    with serving(elsewhere) as other:

        def away(request: Handler, content: bytes, start: int) -> bool:
            name = request.path.rpartition("/")[2]
            request.error(307, "MOVED", {"Location": f"http://{other}/store/blobs/{name}"})
            return True

        site.script.always = away
        site.fetch()
    site.require_whole()
    assert len(elsewhere.asked) == len(LAYERS)
    assert not [headers for _, _, headers in elsewhere.asked if "Authorization" in headers]


def test_refused_credentials_end_it_and_are_not_shown(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(request: Handler) -> bool:
        request.error(401, "UNAUTHORIZED", {"WWW-Authenticate": 'Basic realm="here"'})
        return True

    write_credentials(tmp_path, site.host, monkeypatch)
    site.script.guard = never
    with pytest.raises(RegistryError) as caught:
        site.fetch()
    assert "docker login" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_missing_manifest_names_the_image(site: Site) -> None:
    site.script.manifests.clear()
    with pytest.raises(RegistryError) as caught:
        site.fetch()
    assert caught.value.status == 404
    assert "team/app@sha256:" in str(caught.value)


def test_a_blob_that_one_repository_lost_is_taken_from_another(site: Site) -> None:
    other = site.script.image(site.host, "team/twin", LAYERS)

    def lost(request: Handler, content: bytes, start: int) -> bool:
        if "/team/app/" not in request.path:
            return False
        request.error(404, "BLOB_UNKNOWN")
        return True

    site.script.always = lost
    site.fetch(site.image, other)
    site.require_whole()


def test_each_blob_comes_once_whoever_asks_for_it(site: Site) -> None:
    twins = [site.script.image(site.host, f"team/twin{n}", LAYERS) for n in range(5)]
    site.fetch(site.image, *twins)
    site.require_whole()
    assert len(site.blob_requests()) == len(LAYERS) + 1
    site.script.asked.clear()
    site.fetch(site.image, *twins)
    assert not site.script.asked, "what is there is not asked for"


def test_a_registry_that_is_gone_ends_in_an_error_that_says_so(tmp_path: Path) -> None:
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", LAYERS[:1])
    with Registries(Settings({host: Host(plain_http=True)})) as registries:
        store = BlobStore(tmp_path)
        with pytest.raises(MlopsError, match="cannot be read from") as caught:
            fetch([image], store, registries, quiet)
    assert "run it again" in str(caught.value)


def write_credentials(folder: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = base64.b64encode(b"me:canary-password").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
