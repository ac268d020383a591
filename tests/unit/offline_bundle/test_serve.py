"""What `serve` answers, without a socket: only what the signed list names, whatever is asked."""

from __future__ import annotations

import base64
import json
from email.message import Message
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_infra.errors import FoundError, InputError
from offline_bundle.sealing import Entry
from offline_bundle.serve import Door, Server, Site, listen_address, opened
from offline_bundle.serve.answers import Answer
from offline_bundle.volumes import split
from tests.bundles import INDEX, MANIFEST, Maker
from tests.unit.offline_bundle.conftest import SHARED, fill

SERVER = "/v2/registry.example/ml/server"
WHEEL = "/wheels/simple/click/click-8.1.7-py3-none-any.whl"


@pytest.fixture
def site(bundle: Path, public: Path) -> Site:
    return opened([bundle], key=public)


def ask(site: Site, target: str, method: str = "GET", **headers: str) -> Answer:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return site.answer(method, target, message)


def content(answer: Answer) -> bytes:
    if isinstance(answer.content, bytes):
        return answer.content
    found = b""
    for piece in answer.content:
        with piece.file.open("rb") as file:
            file.seek(piece.start)
            found += file.read(piece.length)
    return found


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(content(answer))["errors"][0]["code"]


def test_the_pull_half_of_the_distribution_api(site: Site) -> None:
    """What the conformance suite asks of a registry that is only read, restated."""
    nobody = "sha256:" + "0" * 64
    by_tag = ask(site, f"{SERVER}/manifests/1")
    digest = by_tag.headers["Docker-Content-Digest"]
    assert by_tag.headers["Content-Type"] == MANIFEST
    assert content(ask(site, f"{SERVER}/manifests/{digest}")) == content(by_tag)
    layer = json.loads(content(by_tag))["layers"][0]["digest"]
    assert content(ask(site, f"{SERVER}/blobs/{layer}")) == SHARED
    assert ask(site, "/v2/").status == 200
    assert json.loads(content(ask(site, f"{SERVER}/tags/list")))["tags"] == ["1"]
    assert json.loads(content(ask(site, f"{SERVER}/referrers/{nobody}")))["manifests"] == []
    assert code(ask(site, f"{SERVER}/manifests/2")) == (404, "MANIFEST_UNKNOWN")
    assert code(ask(site, f"{SERVER}/manifests/{nobody}")) == (404, "MANIFEST_UNKNOWN")
    assert code(ask(site, f"{SERVER}/manifests/sha256:12")) == (400, "DIGEST_INVALID")
    assert code(ask(site, f"{SERVER}/blobs/{nobody}")) == (404, "BLOB_UNKNOWN")
    assert code(ask(site, f"{SERVER}/blobs/latest")) == (400, "DIGEST_INVALID")
    assert code(ask(site, "/v2/registry.example/none/tags/list")) == (404, "NAME_UNKNOWN")
    assert code(ask(site, f"{SERVER}/blobs/uploads/", "POST")) == (405, "UNSUPPORTED")


def test_pages_of_lists_follow_each_other(site: Site) -> None:
    first = ask(site, "/v2/_catalog?n=1")
    assert json.loads(content(first)) == {"repositories": ["registry.example/ml/server"]}
    target = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = ask(site, f"/v2/_catalog{target}")
    assert json.loads(content(second)) == {"repositories": ["registry.example/ml/worker"]}
    assert "Link" not in second.headers


def test_names_as_a_runtime_asks_its_mirror_for_them(site: Site) -> None:
    assert ask(site, "/v2/ml/server/manifests/1?ns=registry.example").status == 200
    assert ask(site, "/v2/ml/server/manifests/1").status == 404


def test_referrers_by_kind(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "signed")
    image = maker.image("registry.example:5000/a:1", [b"layer"])
    signature = maker.refer("registry.example:5000/a:1", image, b"signature")
    maker.seal()
    site = opened([maker.folder])
    for host in ("registry.example:5000", "registry.example-5000"):
        answer = ask(site, f"/v2/{host}/a/referrers/{image.digest}")
        assert answer.headers["Content-Type"] == INDEX
        assert [m["digest"] for m in json.loads(content(answer))["manifests"]] == [signature.digest]
    none = ask(site, f"/v2/registry.example-5000/a/referrers/{image.digest}?artifactType=x%2Fy")
    assert none.headers["OCI-Filters-Applied"] == "artifactType"
    assert json.loads(content(none))["manifests"] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(0, 12),
    last=st.integers(0, 12),
    form=st.sampled_from(["{}-{}", "{}-", "-{1}"]),
)
def test_ranges_are_the_bytes_that_were_asked_for(
    site: Site, first: int, last: int, form: str
) -> None:
    whole, text = b"a wheel", form.format(first, last)
    answer = ask(site, WHEEL, Range=f"bytes={text}")
    if form == "-{1}":
        wanted = whole[-last:] if last else b""
    else:
        wanted = whole[first : last + 1] if form == "{}-{}" else whole[first:]
    if form == "{}-{}" and last < first:
        assert (answer.status, content(answer)) == (200, whole)
    elif wanted:
        assert (answer.status, content(answer)) == (206, wanted)
        at = whole.rindex(wanted) if form == "-{1}" else first
        told = f"bytes {at}-{at + len(wanted) - 1}/{len(whole)}"
        assert answer.headers["Content-Range"] == told
    else:
        assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */7")


def test_conditions(site: Site) -> None:
    tag = ask(site, WHEEL).headers["ETag"]
    assert ask(site, WHEEL, If_None_Match=tag).status == 304
    assert ask(site, WHEEL, Range="bytes=1-2", If_Range=tag).status == 206
    assert ask(site, WHEEL, Range="bytes=1-2", If_Range='"other"').status == 200
    assert ask(site, WHEEL, Range="bytes=0-1,3-4").status == 200


HOSTILE = (
    "/../bundle.json", "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/%2e%2e/key", "/wheels/../key",
    "/binaries/%00", "/v2/../bundle.json", "/v2/..%2f/manifests/1", "/bundle.json.sig/", "/blobs",
    "/v2/registry.example/ml/server/manifests/../../x", "http://other/", "*", "", "/\r\nX: y",
    "/%ff",
    "/?" + "&".join("a=1" for _ in range(99)), "/" + "a" * 5000, "/C:\\key", "/.building/writer",
)  # fmt: skip


@pytest.mark.parametrize("target", HOSTILE)
def test_hostile_paths_lead_nowhere(site: Site, target: str) -> None:
    assert ask(site, target).status in (400, 404)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["/", "..", ".", "%2e", "%2f", "v2", "blobs", "sha256", "simple", "wheels",
                         "manifests", "1", "registry.example", "ml", "server", "tags", "list", ":",
                         "?", "n=", "-1", "key", "\\", "\0", "é", "%ff", "bundle.json"]),
        max_size=12,
    ),
    st.sampled_from(["GET", "HEAD", "PUT"]),
)  # fmt: skip
def test_whatever_is_asked_only_listed_bytes_come(
    site: Site, parts: list[str], method: str
) -> None:
    answer = ask(site, "/" + "".join(parts), method)
    assert answer.status in (200, 301, 400, 404, 405)
    assert all("\r" not in value and "\n" not in value for value in answer.headers.values())
    listed = {entry.path for entry in site.source.contents.entries}
    for piece in () if isinstance(answer.content, bytes) else answer.content:
        assert piece.file.relative_to(site.source.folders[0].path).as_posix() in listed


def test_volumes_are_served_as_they_lie(bundle: Path, tmp_path: Path) -> None:
    volumes = split(bundle, tmp_path / "volumes", 96 << 10).folders
    site = opened(volumes[::-1])
    manifest = json.loads(content(ask(site, f"{SERVER}/manifests/1")))
    layer = manifest["layers"][0]["digest"]
    assert content(ask(site, f"{SERVER}/blobs/{layer}")) == SHARED
    part = ask(site, f"{SERVER}/blobs/{layer}", Range="bytes=50000-250000")
    assert len(part.content) > 1
    assert content(part) == SHARED[50_000:250_001]
    with pytest.raises(FoundError):
        opened(volumes[1:])
    half = opened(volumes[1:], partial=True)
    assert ask(half, f"{SERVER}/tags/list").status == 200


def test_nothing_is_served_that_was_not_sealed(tmp_path: Path, key: Path, public: Path) -> None:
    unsigned, changed = fill(Maker(tmp_path / "a")), fill(Maker(tmp_path / "b"))
    unsigned.seal()
    entries = changed.seal(key).contents.entries
    _flip(changed.folder, next(each for each in entries if each.kind == "plugin"))
    for folder in (unsigned.folder, changed.folder):
        with pytest.raises(FoundError):
            opened([folder], key=public)


def test_a_file_that_changes_under_us_is_no_answer(site: Site) -> None:
    digest = ask(site, f"{SERVER}/manifests/1").headers["Docker-Content-Digest"]
    entry = site.source.contents.blob(digest)
    assert entry is not None
    _flip(site.source.folders[0].path, entry)
    answer = ask(site, f"{SERVER}/manifests/1")
    assert answer.status == 500
    assert str(site.source.folders[0].path) not in content(answer).decode()


def _flip(folder: Path, entry: Entry) -> None:
    file = folder / entry.path
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def test_accounts(bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    file.write_text("# site\nreader:pass:word\n")
    file.chmod(0o644)
    with pytest.raises(InputError, match="readable by others"):
        opened([bundle], accounts=file)
    file.chmod(0o600)
    site = opened([bundle], accounts=file)
    assert "pass:word" not in repr(site)
    assert ask(site, "/healthz").status == 200
    for pair in ("", "reader", "reader:", "reader:pass", "nobody:pass:word", "é:"):
        header = "Basic " + base64.b64encode(pair.encode()).decode()
        refused = ask(site, "/v2/", Authorization=header)
        assert refused.status == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert ask(site, "/v2/", Authorization="Basic not base64!").status == 401
    header = "Basic " + base64.b64encode(b"reader:pass:word").decode()
    assert ask(site, "/v2/", Authorization=header).status == 200
    with pytest.raises(InputError, match="without TLS"):
        Server(site, Door("0.0.0.0", 0, plain_http=True))  # noqa: S104 - is refused


def test_addresses() -> None:
    assert listen_address("5080") == ("127.0.0.1", 5080)
    assert listen_address("[::1]:0") == ("::1", 0)
    for wrong in ("", "host", "host:99999", "http://host:1", "host:-1"):
        with pytest.raises(InputError):
            listen_address(wrong)
