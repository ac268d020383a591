"""A file of ours in place of one that the published module lacks."""

import pytest

from mlops_infra import toolchain
from mlops_infra.progress import quiet
from mlops_infra.toolchain import manifest, pins
from tests.unit.toolchain.conftest import TOOLS, Kit

OVERLAID = TOOLS.replace("  pair:\n", "    overlay: {inner/x_linux.go: overlay/x.go}\n  pair:\n", 1)
BODY = """
if [ "$2" = download ]; then printf '{\\n"Dir": "%s"\\n}\\n' "$MODULE"; exit 0; fi
if [ "$2" = edit ]; then exit 0; fi
read -r line < copy/inner/x_linux.go; echo "$line" > "$RECORD.overlay"
"""


def prepare(kit: Kit) -> None:
    folder = kit.root / "project" / "go" / "demo" / "overlay"
    folder.mkdir()
    (folder / "x.go").write_text("package inner")
    # `overlay` belongs to the family, so it stands after the tools of `demo`
    kit.tools(OVERLAID)


def test_it_is_compiled_at_its_place_in_a_copy_of_the_module(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(kit)
    module = kit.root / "modules" / "demo"
    (module / "inner").mkdir(parents=True)
    monkeypatch.setenv("MODULE", str(module))
    kit.go(BODY)
    toolchain.ensure(["other"], quiet, from_path=False)
    assert (kit.root / "record.overlay").read_text() == "package inner\n"
    assert kit.go_calls("mod edit -replace=example.org/demo=./copy") == 1
    assert list((module / "inner").iterdir()) == []


def test_the_key_changes_with_it(kit: Kit) -> None:
    before = manifest.key("demo")
    prepare(kit)
    first = manifest.key("demo")
    (kit.root / "project" / "go" / "demo" / "overlay" / "x.go").write_text("package other")
    manifest.key.cache_clear()
    assert len({before, first, manifest.key("demo")}) == 3


def test_every_file_of_the_real_overlays_is_there() -> None:
    for pin in pins().values():
        for file in pin.family.overlay.values():
            assert (pin.family.folder / file).is_file()
