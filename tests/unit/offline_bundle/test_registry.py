"""Registries that answer in ways of their own, and what a lock remembers of them."""

from __future__ import annotations

import base64
import io
import json
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlops_infra.errors import InputError
from mlops_infra.progress import quiet
from mlops_infra.transport import HttpError
from offline_bundle import lockfile
from offline_bundle.build import build
from offline_bundle.discover import Needs
from offline_bundle.discover.wanted import WantedImage
from offline_bundle.locking import Locked, make_lock
from offline_bundle.model import Found, Lock, LockedHost
from offline_bundle.push import push
from offline_bundle.registry import Host, Registry, Settings, load
from tests.bundles import INDEX, Maker
from tests.fake_registry import Handler as FakeHandler
from tests.fake_registry import fake_registry
from tests.hostile import Handler, Script, serving
from tests.registries import MANIFEST, digest, encode


@pytest.fixture(autouse=True)
def login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setattr("mlops_infra.transport.retrying._FIRST_SECONDS", 0.001)


def known(tmp_path: Path, host: str) -> None:
    auth = base64.b64encode(b"me:password").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host.upper(): {"auth": auth}}}))


def lock(host: str, name: str = "team/app") -> Locked:
    wanted = WantedImage(f"{host}/{name}:1", (Found("test"),))
    needs = Needs(None, "linux/amd64", "3.11", (wanted,))
    return make_lock(needs, Settings({host: Host(plain_http=True)}), quiet)


class Guarded:
    """A registry that wants to be logged in to, and its token server."""

    def __init__(self, offered: Sequence[str], *, token: int = 200, basic: bool = True) -> None:
        self.offered, self.token, self.basic = offered, token, basic
        self.scopes: list[list[str]] = []
        self.host = ""

    def __call__(self, request: Handler) -> bool:
        given = request.headers.get("Authorization", "")
        url = urllib.parse.urlsplit(request.path)
        if url.path == "/token":
            self.scopes.append(urllib.parse.parse_qs(url.query).get("scope", []))
            if self.token == 200:
                request.whole(b'{"access_token": "good"}', "application/json")
            else:
                request.error(self.token, "DENIED")
            return True
        if given == "Bearer good" or (self.basic and given.startswith("Basic ")):
            return False
        content = b"{}"
        request.send_response(401)
        for each in self.offered:
            request.send_header("WWW-Authenticate", each.replace("HOST", self.host))
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
        return True


BASIC, BEARER = 'Basic realm="r"', 'Bearer realm="http://HOST/token",service="s"'


@pytest.mark.parametrize(
    ("offered", "guard", "logged_in", "works"),
    [
        ([BASIC], {}, True, True),
        ([BASIC], {}, False, False),
        ([f"Negotiate, {BASIC}"], {}, True, True),
        (["Negotiate", "NTLM"], {}, True, False),
        ([f"{BASIC}, {BEARER}"], {}, False, True),
        # each answer that is refused leads to the next challenge
        ([BASIC, BEARER], {"basic": False}, True, True),
        ([BEARER, BASIC], {"token": 403}, True, True),
        ([BEARER], {"token": 403}, True, False),
        (["Bearer", BASIC], {}, True, True),
    ],
)
def test_the_first_challenge_that_can_be_answered_is(
    tmp_path: Path, offered: list[str], guard: dict[str, int], logged_in: bool, works: bool
) -> None:
    script = Script()
    script.guard = guarded = Guarded(offered, **guard)  # type: ignore[arg-type]
    with serving(script) as host:
        guarded.host = host
        image = script.image(host, "team/app", [b"layer"])
        script.manifests["1"] = script.manifests[image.digest]
        if logged_in:
            known(tmp_path, host)
        if works:
            assert lock(host).lock.images[0].digest == image.digest
        else:
            with pytest.raises(HttpError, match=r"refuses|token server answers 403"):
                lock(host)


@pytest.mark.parametrize(
    ("own", "stated", "asked"),
    [
        ("repository:a:pull", "", [["repository:a:pull"]]),
        ("repository:b:pull,push repository:a:pull", "",
         [["repository:b:pull,push", "repository:a:pull"]]),
        # a mirror knows the repository by another name
        ("repository:a:pull", "repository:hub/a:pull", [["repository:hub/a:pull"]]),
        ("repository:a:pull,push", "repository:a:pull", [["repository:a:pull,push"]]),
    ],
)  # fmt: skip
def test_each_scope_is_a_parameter_of_its_own(own: str, stated: str, asked: object) -> None:
    script = Script()
    script.guard = guarded = Guarded([f'{BEARER},scope="{stated}"'], basic=False)
    with serving(script) as host:
        guarded.host = host
        registry = Registry(host, Settings({host: Host(plain_http=True)}))
        registry.send("GET", "/v2/", scope=own).close()
        registry.close()
    assert guarded.scopes == asked


def test_a_next_page_on_another_host_gets_no_login(tmp_path: Path) -> None:
    script, other = Script(), Script()
    script.guard = guarded = Guarded([BASIC])
    with serving(script) as host, serving(other) as elsewhere:
        known(tmp_path, host)
        guarded.host = host
        asked: list[str] = []

        def pages(request: Handler) -> bool:
            if guarded(request):
                return True
            asked.append(request.path)
            body = encode({"manifests": []})
            request.send_response(200)
            request.send_header("Link", '</x>; rel="prev", </y>; title="a"')
            request.send_header("Link", f"<http://{elsewhere}/v2/a/referrers/b>; rel=next")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
            return True

        script.guard = pages
        registry = Registry(host, Settings({host: Host(plain_http=True)}))
        assert registry.referrers("a", "sha256:" + "a" * 64) == ()
        registry.close()
    assert len(asked) == 1
    assert [headers.get("Authorization") for _, _, headers in other.asked] == [None]


def test_what_is_listed_and_is_about_something_else_is_not_carried() -> None:
    """Also by the image's own manifest under the fallback tag, and by cosign's tags."""
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", [b"layer"])
        other = script.image(host, "team/other", [b"another"])
        content = script.manifests["1"] = script.manifests[image.digest]
        tag = image.digest.replace(":", "-")
        script.manifests |= {tag: content, f"{tag}.sig": content}
        listed = {"mediaType": MANIFEST, "digest": other.digest, "size": other.size}

        def lists(request: Handler) -> bool:
            if "/referrers/" in request.path:
                request.whole(encode({"manifests": [listed]}), INDEX)
            return "/referrers/" in request.path

        script.guard = lists
        made = lock(host)
        assert made.lock.images[0].attached == ()
        assert other.digest in made.notes[0]

        def has_none(request: Handler) -> bool:
            if "/referrers/" in request.path:
                request.error(404, "UNSUPPORTED")
            return "/referrers/" in request.path

        script.guard = has_none
        assert lock(host).lock.images[0].attached == ()


def test_an_index_in_an_index_reaches_a_registry_that_wants_whole_ones(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "bundle")
    inner = maker.index("registry.example/in:1", {"amd64": [b"a"], "arm64": [b"b"]}, omit=["arm64"])
    outer = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{"mediaType": INDEX, "digest": inner.digest, "size": inner.size}],
    }
    made = maker.blob(json.dumps(outer).encode())
    blobs = [each for image in maker.images for each in image.blobs]
    maker._list("registry.example/out:1", made, INDEX, blobs)
    maker.seal()

    def whole(handler: FakeHandler, method: str, path: str) -> bool:
        if method != "PUT" or "/manifests/" not in path:
            return False
        content = handler.body()
        handler.rfile = io.BytesIO(content)
        wanted = json.loads(content).get("manifests", ())
        repository = path.removeprefix("/v2/").partition("/manifests/")[0]
        there = {name for place, name in state.manifests if place == repository}
        if all(each["digest"] in there for each in wanted):
            return False
        handler.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        return True

    with fake_registry(whole) as (host, state):
        done = push([maker.folder], host, settings=load(plain_http=[host]))
        for name in ("in", "out"):
            tagged = json.loads(state.manifests[f"registry.example/{name}", "1"])
            assert tagged["config"], "the manifest of the one platform"
        assert push([maker.folder], host, settings=load(plain_http=[host])).actions == ()
        assert done.receipt is not None


def test_a_lock_remembers_how_its_registries_were_reached(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(
        "hosts:\n  Docker.io: {mirror: https://mirror.example/hub, ca: /etc/ca.pem}\n"
        "  registry.example:5000: {plainHttp: true, concurrency: 2}\n  unused.example: {}\n"
    )
    told = load(file).locked(["registry.example:5000", "docker.io", "docker.io", "other.example"])
    assert told == (
        LockedHost("docker.io", "https://mirror.example/hub"),
        LockedHost("registry.example:5000", None, True, 2),
    )
    text = lockfile.render_lock(Lock(None, "linux/amd64", "3.11", hosts=told))
    assert lockfile.parse_lock(text).hosts == told
    assert "ca.pem" not in text
    built = Settings().remembering(told)
    assert built.base("docker.io") == "https://mirror.example/hub"
    assert built.base("registry.example:5000") == "http://registry.example:5000"
    assert built.host("REGISTRY.example:5000").concurrency == 2
    other = Settings({"docker.io": Host(mirror="https://near.example", ca="/ca.pem")})
    assert other.remembering(told).base("docker.io") == "https://near.example"
    assert lockfile.parse_lock("version: 1\nplatform: a/b\npython: '3'\n").hosts == ()


def test_a_build_reaches_the_registry_as_the_lock_did(tmp_path: Path) -> None:
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", [b"layer"])
        script.manifests["1"] = script.manifests[image.digest]
        file = tmp_path / "bundle.lock"
        lockfile.write_lock(lock(host).lock, file)
        built = build(lockfile.read_lock(file), tmp_path / "bundle", Settings(), quiet)
    assert built.fetched == 3


def test_a_mirror_with_a_login_is_refused_so_that_none_is_in_a_lock(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text("hosts: {a.example: {mirror: 'https://u:p@mirror.example/x@y'}}")
    with pytest.raises(InputError, match="cannot be used"):
        load(file)


def test_a_manifest_that_is_another_one_ends_the_lock_also_where_it_is_optional() -> None:
    script = Script()
    with serving(script) as host:
        image = script.image(host, "team/app", [b"layer"])
        script.manifests["1"] = script.manifests[image.digest]
        false = "sha256:" + "1" * 64
        script.manifests[false] = script.manifests[image.digest] + b" "

        def lists(request: Handler) -> bool:
            listed = {"mediaType": MANIFEST, "digest": false, "size": 3}
            if "/referrers/" in request.path:
                request.whole(encode({"manifests": [listed]}), INDEX)
            return "/referrers/" in request.path

        script.guard = lists
        with pytest.raises(HttpError, match="another manifest") as caught:
            lock(host)
    assert digest(b"") not in str(caught.value)
