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


@pytest.mark.parametrize("pin", ALL, ids=IDS)
def test_archives_are_pinned_and_say_where_the_sum_was_published(pin):
    for platform, archive in pin.archives.items():
        assert platform in ("linux/amd64", "linux/arm64")
        assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
        assert archive.url.startswith("https://")
        assert pin.version.removeprefix("v") in archive.url
        assert "{" not in archive.url + "".join(archive.members.values())
        assert archive.published
        assert set(archive.members) in (set(), set(pin.programs))


def test_no_two_files_share_a_sum():
    sums = [archive.sha256 for pin in ALL for archive in pin.archives.values()]
    assert len(sums) == len(set(sums))


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
