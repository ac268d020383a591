"""The pins as they ship: they agree with the Go modules beside them."""

import re

import pytest

from mlops_infra.toolchain import manifest, pins
from mlops_infra.toolchain.manifest import key, target

ALL = list(pins().values())
IDS = [pin.name for pin in ALL]


@pytest.mark.parametrize("pin", ALL, ids=IDS)
def test_the_go_module_has_the_pinned_version_and_names_the_packages(pin):
    text = (pin.family.folder / "go.mod").read_text()
    required = re.escape(f"{pin.family.module} {pin.family.module_version}")
    assert re.search(rf"(?m)^(require )?\s*{required}( // indirect)?$", text)
    own = re.search(r"(?m)^module (\S+)$", text)[1]
    for package in pin.programs.values():
        named = re.search(rf"(?m)^(tool )?\s*{re.escape(package)}$", text)
        assert named or package == own
    assert (pin.family.folder / "go.sum").stat().st_size > 0


def test_staging_modules_are_all_at_the_version_of_kubernetes():
    folder = manifest.pin("kubelet").family.folder
    replaced = re.findall(r"=> k8s\.io/[a-z-]+ (\S+)", (folder / "go.mod").read_text())
    assert len(replaced) == 31
    assert set(replaced) == {manifest.pin("kubelet").version.replace("v1.", "v0.")}


LENGTHS = {"sha256": 64, "sha512": 128}


@pytest.mark.parametrize("pin", ALL, ids=IDS)
def test_archives_are_pinned_and_say_where_the_sum_was_published(pin):
    for platform, archive in pin.archives.items():
        assert platform in ("linux/amd64", "linux/arm64")
        kind, _, digest = archive.checksum.partition(":")
        assert re.fullmatch(rf"[0-9a-f]{{{LENGTHS[kind]}}}", digest)
        assert archive.url.startswith("https://")
        assert (archive.checksum if archive.image else archive.release[1:]) in archive.url
        assert "{" not in archive.url + "".join(archive.members.values())
        assert archive.published
        assert set(archive.members) in (set(), set(pin.contents))


@pytest.mark.parametrize("pin", ALL, ids=IDS)
def test_a_tool_has_an_archive_or_tells_why_there_is_none(pin):
    assert ("linux/amd64" in pin.archives) is (pin.unpublished is None)


def test_a_release_is_that_of_the_pin_but_where_upstream_counts_apart():
    apart = {
        pin.name: archive.release
        for pin in ALL
        for archive in pin.archives.values()
        if archive.release != pin.version
    }
    # Prometheus 3.N.P is module 0.(300 + N).P; the language host's module has stopped
    number = re.sub(r"v0\.3(\d\d)\.", lambda m: f"v3.{int(m[1])}.", pins()["prometheus"].version)
    assert apart == {
        "prometheus": number,
        "promtool": number,
        "pulumi-language-python": pins()["pulumi"].version,
    }


def test_two_archives_share_a_sum_only_where_they_are_one():
    addresses: dict[str, set[str]] = {}
    for pin in ALL:
        for archive in pin.archives.values():
            addresses.setdefault(archive.checksum, set()).add(archive.url)
    assert all(len(urls) == 1 for urls in addresses.values())


def test_the_key_changes_with_what_determines_the_binary_and_nothing_else(kit):
    folder = kit.root / "project" / "go" / "demo"

    def now() -> str:
        manifest.pins.cache_clear()
        manifest.key.cache_clear()
        return key("demo")

    first = now()
    (folder / "README.md").write_text("unrelated")
    (kit.root / "project" / "go" / "pair" / "go.mod").write_text("another")
    assert now() == first
    changed = {first}
    for name, text in (("go.mod", "module x\n"), ("go.sum", "a sum\n"), ("main.go", "package x")):
        (folder / name).write_text(text)
        changed.add(now())
    tools = (kit.root / "tools.yaml").read_text()
    for old, new in (("-trimpath", "-race"), ("v1.2.3", "v1.2.4"), ("main.version", "main.v")):
        tools = tools.replace(old, new)
        (kit.root / "tools.yaml").write_text(tools)
        changed.add(now())
    assert len(changed) == 7


def test_another_processor_has_other_binaries(kit, monkeypatch):
    first = key("demo")
    key.cache_clear()
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert target().endswith("/arm64")
    assert key("demo") != first
