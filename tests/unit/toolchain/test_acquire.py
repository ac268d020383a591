import hashlib
import io
import json
import os
import tarfile
import threading

import pytest

from mlops_infra.errors import InputError, Interrupted, MissingError, OperationFailed
from mlops_infra.progress import Event, quiet
from mlops_infra.toolchain import acquire, bin_dir, ensure, listing, locate, store
from tests.unit.toolchain.server import serving, serving_files


def sums(folder, *names):
    lines = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def bundle(kit, says="demo v1.2.3"):
    from mlops_infra.toolchain.bundle import file_name

    folder = kit.root / "bundle" / "binaries"
    name = file_name("demo", "v1.2.3")
    kit.program(folder, name, says)
    sums(folder, name)
    return folder / name


def targz(**says: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as out:
        for name, text in says.items():
            content = f'#!/bin/sh\necho "{text}"\n'.encode()
            info = tarfile.TarInfo(f"pkg/{name}")
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_tools_of_a_family_are_built_in_one_call_and_then_come_from_the_cache(kit):
    kit.go()
    tools = ensure(["other", "demo"], quiet)
    assert list(tools) == ["other", "demo"]
    assert {tool.source for tool in tools.values()} == {"built"}
    assert tools["demo"].path.parent.parent.parent == kit.store / "demo"
    again = ensure(["demo"], quiet)["demo"]
    assert (again.source, again.origin.source) == ("cache", "built")
    assert again.origin.detail == "example.org/demo v1.2.3"
    assert kit.go_calls("build") == 1


def test_a_tool_of_several_programs_is_a_folder(kit):
    kit.go(version="v0.1.0")
    path = ensure(["pair"], quiet)["pair"].path
    assert sorted(p.name for p in path.iterdir()) == ["left", "right"]


def test_go_writes_nothing_outside_of_the_cache(kit, monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("GOPATH", "/elsewhere")
    kit.go(body='/usr/bin/env > "$RECORD.env"')
    ensure(["demo"], quiet)
    seen = dict(
        line.split("=", 1)
        for line in (kit.root / "record.env").read_text().splitlines()
        if "=" in line
    )
    for name in ("GOPATH", "GOMODCACHE", "GOCACHE", "GOTMPDIR", "XDG_CONFIG_HOME"):
        assert seen[name].startswith(str(kit.store)), name
    assert seen["GOFLAGS"] == "-modcacherw"
    assert (kit.store / "go/config/go/telemetry/mode").read_text() == "off"
    assert list((kit.store / "work").iterdir()) == []


@pytest.mark.parametrize("says", ["demo v1.2.30", "demo v1.2.3+k3s1", "demo v1.2.3-rc.1", "", "v1"])
def test_another_version_on_path_is_passed_over(kit, says):
    kit.go()
    kit.program(kit.bin, "demo", says)
    assert ensure(["demo"], quiet)["demo"].source == "built"
    (line,) = [row.passed_over for row in listing(["demo"])]
    assert "pinned is 'demo v1.2.3'" in line[0]


def test_the_pinned_version_on_path_is_taken_unless_it_must_not(kit):
    mine = kit.program(kit.bin, "demo", "demo v1.2.3 (linux)")
    tool = ensure(["demo"], quiet)["demo"]
    assert (tool.path, tool.source) == (mine, "path")
    assert locate("demo", from_path=False) is None
    assert listing(["demo"])[0].source == "path"


def test_our_own_cache_on_path_counts_as_the_cache(kit, monkeypatch):
    kit.go()
    folder = bin_dir(ensure(["demo"], quiet))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    assert ensure(["demo"], quiet)["demo"].source == "cache"


def test_a_bundle_comes_before_archive_and_build(kit, monkeypatch):
    bundle(kit)
    monkeypatch.setenv("MLOPS_INFRA_BUNDLE", str(kit.root / "bundle"))
    assert ensure(["demo"], quiet)["demo"].source == "bundle"


def test_a_changed_bundle_stops_everything(kit):
    kit.go()
    file = bundle(kit)
    file.write_text(file.read_text() + "# changed\n")
    with pytest.raises(OperationFailed, match="does not match its list"):
        ensure(["demo"], quiet, bundle_folder=kit.root / "bundle")
    assert locate("demo") is None


def test_a_folder_that_is_no_bundle_is_a_mistake_of_the_user(kit):
    with pytest.raises(InputError, match="has no binaries"):
        ensure(["demo"], quiet, bundle_folder=kit.root)


def test_what_a_bundle_lacks_is_built(kit):
    kit.go()
    bundle(kit)
    tool = ensure(["other"], quiet, bundle_folder=kit.root / "bundle")["other"]
    assert tool.source == "built"
    assert "has no other-v1.2.3" in tool.origin.passed_over[0]


def test_an_archive_is_taken_before_go(kit):
    kit.go()
    content = targz(demo="demo v1.2.3")
    with serving(content) as (url, _server):
        kit.pin_archive(url, sha256(content), "pkg/demo")
        tool = ensure(["demo"], quiet)["demo"]
    assert (tool.source, tool.origin.detail) == ("archive", url)
    assert kit.go_calls("build") == 0
    assert list((kit.store / "downloads").iterdir()) == []


def test_a_changed_archive_is_never_run_and_the_report_tells(kit):
    kit.go()
    with serving(targz(demo="evil")) as (url, _server):
        kit.pin_archive(url, "0" * 64, "pkg/demo")
        assert ensure(["demo"], quiet)["demo"].source == "built"
    assert "sha256" in listing(["demo"])[0].passed_over[0]


def test_tools_of_one_archive_are_fetched_once(kit):
    content = targz(demo="demo v1.2.3", more="", other="other v1.2.3")
    with serving(content) as (url, server):
        kit.pin_shared(f"url: {url}, sha512: {hashlib.sha512(content).hexdigest()}")
        tools = ensure(["demo", "other"], quiet)
        assert {tool.source for tool in tools.values()} == {"archive"}
        assert server.paths == ["/demo.tar.gz"]
    assert list((kit.store / "downloads").iterdir()) == []


def test_an_archive_that_lacks_one_of_its_tools_is_not_taken(kit):
    kit.go()
    content = targz(demo="demo v1.2.3")
    with serving(content) as (url, _server):
        kit.pin_shared(f"url: {url}, sha256: {sha256(content)}")
        assert ensure(["other"], quiet)["other"].source == "built"
    assert listing(["other"])[0].passed_over == (f"archive: {url}: it has no pkg/other",)


def test_a_dead_host_is_told_in_one_line_and_the_tools_are_built(kit):
    kit.go()
    kit.pin_shared("url: http://127.0.0.1:9/demo.tgz, sha256: aa")
    events: list[Event] = []
    tools = ensure(["demo", "other"], events.append)
    assert {tool.source for tool in tools.values()} == {"built"}
    told = [event.text for event in events if "cannot be reached" in event.text]
    assert told == ["demo, other: archive: 127.0.0.1 cannot be reached"]


def test_a_sites_own_mirror_is_asked_instead_of_the_host(kit, monkeypatch):
    content = targz(demo="demo v1.2.3")
    with serving_files({"/copy/get.example/v1/demo.tgz": content}) as (url, _server):
        monkeypatch.setenv("MLOPS_INFRA_ARCHIVE_MIRROR", f"{url}/copy/")
        kit.pin_archive("https://get.example/v1/demo.tgz", sha256(content), "pkg/demo")
        tool = ensure(["demo"], quiet)["demo"]
    assert (tool.source, tool.origin.detail) == ("archive", f"{url}/copy/get.example/v1/demo.tgz")


def test_the_login_of_a_mirror_is_used_and_shown_nowhere(kit, monkeypatch):
    content, told = targz(demo="demo v1.2.3"), []
    with serving_files({"/get.example/v1/demo.tgz": content}) as (url, server):
        monkeypatch.setenv("MLOPS_INFRA_ARCHIVE_MIRROR", url.replace("//", "//me:canary@"))
        kit.pin_archive("https://get.example/v1/demo.tgz", sha256(content), "pkg/demo")
        tool = ensure(["demo"], told.append)["demo"]
        assert server.logins == ["Basic bWU6Y2FuYXJ5"]
    assert tool.origin.detail == f"{url}/get.example/v1/demo.tgz"
    kept = [each.read_bytes() for each in kit.store.rglob("*") if each.is_file()]
    assert "canary" not in f"{told} {kept}"


def image(*layers: bytes) -> dict[str, bytes]:
    """The files of a fake registry with one image; the manifest is the first."""
    base = "/registry.example/v2/group/demo"
    digests = [f"sha256:{sha256(layer)}" for layer in layers]
    manifest = json.dumps({"layers": [{"digest": digest} for digest in digests]}).encode()
    blobs = {f"{base}/blobs/{d}": layer for d, layer in zip(digests, layers, strict=True)}
    return {f"{base}/manifests/sha256:{sha256(manifest)}": manifest, **blobs}


def test_a_tool_that_is_released_as_an_image_comes_out_of_its_topmost_layer(kit, monkeypatch):
    lowest, files = targz(demo="evil"), targz(etc="")
    held = image(lowest, targz(demo="demo v1.2.3", other="other v1.2.3"), files)
    manifest = next(iter(held))
    with serving_files(held) as (url, server):
        monkeypatch.setenv("MLOPS_INFRA_ARCHIVE_MIRROR", url)
        digest = manifest.rpartition(":")[2]
        kit.pin_shared(f"image: registry.example/group/demo, sha256: {digest}")
        assert ensure(["demo"], quiet)["demo"].source == "archive"
        asked = server.paths
        assert asked[0] == manifest
        assert "application/vnd.oci.image.manifest.v1+json" in server.accepted[0]
        assert not any(sha256(lowest) in path for path in asked)
    assert list((kit.store / "downloads").iterdir()) == []


@pytest.mark.parametrize("part", ["manifests", "blobs"])
def test_an_image_that_was_changed_is_not_taken(kit, monkeypatch, part):
    kit.go()
    held = image(targz(demo="demo v1.2.3", other=""))
    manifest = next(iter(held))
    changed = {path: targz(demo="evil") if part in path else c for path, c in held.items()}
    with serving_files(changed) as (url, _server):
        monkeypatch.setenv("MLOPS_INFRA_ARCHIVE_MIRROR", url)
        digest = manifest.rpartition(":")[2]
        kit.pin_shared(f"image: registry.example/group/demo, sha256: {digest}")
        assert ensure(["demo"], quiet)["demo"].source == "built"
    assert "has sha256" in listing(["demo"])[0].passed_over[0]


def test_a_program_that_tells_another_version_gets_no_place_in_the_cache(kit):
    kit.go(version="v9.9.9")
    with pytest.raises(OperationFailed, match=r"reports 'demo v9\.9\.9'"):
        ensure(["demo"], quiet)
    assert locate("demo") is None


def test_no_go_and_no_archive_names_the_tool_what_was_tried_and_the_next_step(kit):
    with pytest.raises(MissingError) as caught:
        ensure(["demo"], quiet)
    error = caught.value
    assert error.exit_code == 4
    assert "demo v1.2.3" in error.what
    for source in (
        "path: not there",
        "bundle: none given",
        "archive: no pub",
        "built: Go is not installed",
    ):
        assert source in str(error.where)
    assert "install Go" in str(error.hint)
    assert "mlops-infra toolchain install demo" in str(error.hint)


@pytest.mark.parametrize(
    ("go_says", "error", "told"),
    [
        ("go: go.mod requires go >= 1.26.0 (running go 1.21.1)", MissingError, "older than"),
        ("dial tcp: lookup proxy.golang.org: no such host", MissingError, "cannot be reached"),
        ("write /x: no space left on device", OperationFailed, "disk is full"),
        ("compile: signal: killed", OperationFailed, "out of memory"),
        ("compile: signal: interrupt", Interrupted, "was stopped"),
        ("main.go:1:1: syntax error", OperationFailed, "does not compile"),
    ],
)
def test_what_go_says_becomes_a_cause(kit, go_says, error, told):
    kit.go(body=f'echo "{go_says}" >&2; exit 1')
    with pytest.raises(error) as caught:
        ensure(["demo"], quiet)
    assert told in str(caught.value)
    assert caught.value.hint


def test_an_unknown_tool_lists_the_known_ones(kit):
    with pytest.raises(InputError, match="no such tool: 'helmet'") as caught:
        ensure(["helmet"], quiet)
    assert "demo, other, pair" in str(caught.value.hint)


def test_two_at_once_build_once(kit):
    kit.go(body="/bin/sleep 0.3")
    sources: list[str] = []
    events: list[Event] = []
    threads = [
        threading.Thread(
            target=lambda: sources.append(ensure(["demo"], events.append)["demo"].source)
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sources) == ["built", "cache"]
    assert kit.go_calls("build") == 1
    assert any("another process" in event.text for event in events)


def test_half_a_tool_in_the_cache_is_made_again(kit):
    kit.go(version="v0.1.0")
    folder = ensure(["pair"], quiet)["pair"].path
    (folder / "left").unlink()
    assert locate("pair") is None
    assert ensure(["pair"], quiet)["pair"].source == "built"
    assert (folder / "left").exists()


def test_progress_counts_packages_to_the_end(kit):
    kit.go()
    events: list[Event] = []
    ensure(["demo"], events.append)
    assert events[-1].kind == "finished"
    assert (events[-1].done, events[-1].total, events[-1].unit) == (3, 3, "packages")
    assert any("downloading example.org/demo" in event.text for event in events)


def test_bin_dir_holds_every_program_and_is_the_same_each_time(kit):
    kit.go(version="v0.1.0")
    tools = ensure(["pair"], quiet)
    folder = bin_dir(tools)
    assert folder == acquire.bin_dir(tools)
    assert {p.name: p.resolve() for p in folder.iterdir()} == {
        name: tools["pair"].path / name for name in ("left", "right")
    }


def test_a_program_that_needs_a_dynamic_loader_is_told_from_a_static_one(kit):
    from mlops_infra.toolchain.on_path import is_dynamic

    assert not is_dynamic(kit.program(kit.bin, "demo", "text"))
    header = bytearray(b"\x7fELF\x02\x01" + bytes(58))
    header[32] = 64  # where the table of segments begins
    header[54], header[56] = 56, 1  # one entry of 56 bytes
    for kind, dynamic in ((1, False), (3, True)):
        file = kit.root / f"elf{kind}"
        file.write_bytes(bytes(header) + bytes([kind]) + bytes(55))
        assert is_dynamic(file) is dynamic


def test_the_layout_is_the_one_that_other_rooms_and_people_rely_on(kit):
    kit.go()
    tool = ensure(["demo"], quiet)["demo"]
    short = store.home(listing_pin("demo")).name
    assert tool.path == kit.store / "demo" / short / "bin" / "demo"
    assert short.startswith("v1.2.3-")
    assert len(short) == len("v1.2.3-") + 8


def listing_pin(name):
    from mlops_infra.toolchain import pin

    return pin(name)
