"""Every request to a registry, refused in every way: what it costs (docs/decisions/0022)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.errors import MlopsError
from mlops_infra.progress import quiet
from offline_bundle.discover import Needs
from offline_bundle.discover.wanted import WantedImage
from offline_bundle.fetch import BlobStore, fetch
from offline_bundle.locking import make_lock
from offline_bundle.model import Found
from offline_bundle.prune.pruning import prune
from offline_bundle.push import push
from offline_bundle.registry import Host, Registries, Settings, load
from tests import fake_registry
from tests.bundles import Maker
from tests.hostile import Handler, Script, serving
from tests.registries import digest, encode

STATUSES = (400, 401, 403, 404, 405, 429, 500)
QUIET, NOTE, FAILS = "nothing", "a note", "the work"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

LOCK = {
    "manifest": (r"/manifests/1$", dict.fromkeys(STATUSES, FAILS)),
    "config": (r"/blobs/", dict.fromkeys(STATUSES, FAILS)),
    "signature's tag": (r"/manifests/sha256-\w+\.sig$", {404: QUIET}),
    "referrers": (r"/referrers/", {429: NOTE, 500: NOTE, **dict.fromkeys(STATUSES[:5], QUIET)}),
    "fallback tag": (r"/manifests/sha256-[0-9a-f]{64}$", {404: QUIET}),
    "listed referrer": (r"/manifests/REFERRER", {}),
}
"""Request of `bundle lock`: its path, and what a refusal costs; a note where nothing is said."""

PUSH = {
    "HEAD and GET manifest": ("HEAD|GET", r"/manifests/1$", {404: QUIET}),
    "HEAD manifest alone": ("HEAD", r"/manifests/1$", {429: NOTE, 500: NOTE, 401: NOTE}),
    "HEAD blob": ("HEAD", r"/blobs/sha256", {404: QUIET}),
    "mount": ("POST", r"mount=", {}),
    "open an upload": ("POST", r"/uploads/$", dict.fromkeys(STATUSES, FAILS)),
    "send a blob": ("PUT", r"/uploads/", dict.fromkeys(STATUSES, FAILS)),
    "put a manifest": ("PUT", r"/a/manifests/1$", dict.fromkeys(STATUSES, FAILS)),
    "put a referrer": ("PUT", r"/manifests/sha256:REFERRER", {}),
    "put the list of referrers": ("PUT", r"/manifests/sha256-", {}),
    "read the list of referrers": ("HEAD|GET", r"/manifests/sha256-", {404: QUIET}),
    "referrers": ("GET", r"/referrers/", {429: NOTE, 500: NOTE}),
}
PRUNE = {
    "is it there": ("HEAD|GET", r"/manifests/sha256:", {404: QUIET}),
    "delete": ("DELETE", r"/manifests/", {404: QUIET}),
}


def cases(table: dict[str, tuple[Any, ...]], otherwise: str) -> list[Any]:
    """Each request with each status and what it costs."""
    return [
        pytest.param(*where, status, costs.get(status, otherwise), id=f"{name}-{status}")
        for name, (*where, costs) in table.items()
        for status in STATUSES
    ]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("mlops_infra.transport.retrying._FIRST_SECONDS", 0.001)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "nobody"))


def cost(work: Callable[[], tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
    try:
        notes = work()
    except MlopsError:
        return FAILS, ()
    return (NOTE if notes else QUIET), notes


@pytest.mark.parametrize(("pattern", "status", "expected"), cases(LOCK, NOTE))
def test_of_a_lock(pattern: str, status: int, expected: str) -> None:
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", [b"layer"])
        script.manifests["1"] = script.manifests[image.digest]
        referrer = _referrer(script, image.digest, image.size)
        asked = re.compile(pattern.replace("REFERRER", referrer))
        without_api = "sha256-" in pattern and "sig" not in pattern

        def guard(request: Handler) -> bool:
            if asked.search(request.path):
                request.error(status, "DENIED")
            elif "/referrers/" in request.path and not without_api:
                listed = [{"mediaType": MANIFEST, "digest": referrer, "size": 9}]
                request.whole(encode({"manifests": listed}), "application/json")
            elif "/referrers/" in request.path:
                request.error(404, "UNSUPPORTED")
            else:
                return False
            return True

        script.guard = guard

        def lock() -> tuple[str, ...]:
            wanted = WantedImage(f"{host}/team/app:1", (Found("test"),))
            needs = Needs(None, "linux/amd64", "3.11", (wanted,))
            made = make_lock(needs, Settings({host: Host(plain_http=True)}), quiet)
            assert made.lock.images[0].digest == image.digest
            assert made.lock.hosts[0].name == host
            return made.notes

        found, notes = cost(lock)
    assert found == expected
    assert all(f"{host}/team/app:1" in note for note in notes)


def _referrer(script: Script, subject: str, size: int) -> str:
    content = encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest(b"{}"), "size": 2},
            "layers": [],
            "subject": {"mediaType": MANIFEST, "digest": subject, "size": size},
        }
    )
    script.manifests[digest(content)] = content
    return digest(content)


@pytest.mark.parametrize("path", ["/manifests/", "/blobs/"])
@pytest.mark.parametrize("status", STATUSES)
def test_of_a_fetch(path: str, status: int, tmp_path: Path) -> None:
    """What was locked is needed: the work fails, and says where and with what."""
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", [b"layer" * 1000])

        def guard(request: Handler) -> bool:
            if path in request.path:
                request.error(status, "DENIED")
            return path in request.path

        script.guard = guard
        registries = Registries(Settings({host: Host(plain_http=True)}))
        with registries, pytest.raises(MlopsError) as caught:
            fetch([image], BlobStore(tmp_path), registries, quiet)
    assert host in str(caught.value)
    assert status == 401 or str(status) in str(caught.value)


@pytest.fixture
def maker(tmp_path: Path) -> Maker:
    made = Maker(tmp_path / "bundle")
    first = made.image("registry.example/a:1", [b"shared" * 100])
    made.image("registry.example/b:1", [b"shared" * 100])
    made.refer("registry.example/a:1", first, b"signature")
    made.seal()
    return made


def refusing(methods: str, pattern: str, status: int, seen: list[str]) -> fake_registry.Fault:
    def fault(handler: fake_registry.Handler, method: str, _path: str) -> bool:
        if not (re.fullmatch(methods, method) and re.search(pattern, handler.path)):
            return False
        seen.append(handler.path)
        handler.body()
        handler.answer(status, b'{"errors":[{"code":"DENIED"}]}')
        return True

    return fault


@pytest.mark.parametrize(("methods", "pattern", "status", "expected"), cases(PUSH, NOTE))
def test_of_a_push(maker: Maker, methods: str, pattern: str, status: int, expected: str) -> None:
    if methods == "HEAD" and "manifests" in pattern and status in (400, 403, 404, 405):
        expected = QUIET  # GET is asked then
    if "/referrers/" in pattern and status not in (429, 500):
        expected = QUIET  # the fallback tag is asked then
    referrer = maker.images[0].attached[0].descriptor.digest.removeprefix("sha256:")
    seen: list[str] = []
    fault = refusing(methods, pattern.replace("REFERRER", referrer), status, seen)
    with fake_registry.fake_registry(fault) as (host, state):
        done = cost(lambda: push([maker.folder], host, settings=load(plain_http=[host])).notes)
        assert seen, "the request was not made"
        assert done[0] == expected, done
        tagged = sorted(name for name, tag in state.manifests if tag == "1")
    if expected != FAILS:
        assert tagged == ["registry.example/a", "registry.example/b"]
        assert all(host in note or "registry.example" in note for note in done[1])


@pytest.mark.parametrize(("methods", "pattern", "status", "expected"), cases(PRUNE, FAILS))
def test_of_a_prune(
    maker: Maker, tmp_path: Path, methods: str, pattern: str, status: int, expected: str
) -> None:
    empty = Maker(tmp_path / "empty")
    empty.seal()
    rules: list[fake_registry.Fault] = []
    seen: list[str] = []

    def fault(handler: fake_registry.Handler, method: str, path: str) -> bool:
        return any(rule(handler, method, path) for rule in rules)

    with fake_registry.fake_registry(fault) as (host, _):
        settings = load(plain_http=[host])
        receipt = tmp_path / "receipt"
        push([maker.folder], host, settings=settings, receipt=receipt)
        rules.append(refusing(methods, pattern, status, seen))

        def work() -> tuple[str, ...]:
            prune(
                host,
                [receipt],
                keep=[empty.folder],
                running=(),
                settings=settings,
                dry_run=False,
            )
            return ()

        assert cost(work)[0] == expected
        assert seen


def test_a_referrer_that_was_refused_is_not_in_the_receipt(maker: Maker, tmp_path: Path) -> None:
    signature = maker.images[0].attached[0].descriptor.digest
    fault = refusing("PUT", re.escape(signature), 405, [])
    with fake_registry.fake_registry(fault) as (host, _):
        file = tmp_path / "receipt"
        push([maker.folder], host, settings=load(plain_http=[host]), receipt=file)
    images = json.loads(file.read_text())["images"]
    assert sorted(each["name"] for each in images) == [
        "registry.example/a:1",
        "registry.example/b:1",
    ]
