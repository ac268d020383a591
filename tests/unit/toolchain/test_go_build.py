"""What is taken from a Go module beside one program: several, and scripts."""

import pytest

from mlops_infra import toolchain
from mlops_infra.progress import quiet
from tests.unit.toolchain.conftest import TOOLS, Kit, script

MODULE_AT = """#!/bin/sh
echo "$@" >> "$RECORD"
if [ "$1 $2" = "list -m" ]; then echo "$MODULE"; fi
"""


def test_programs_whose_packages_end_alike_do_not_overwrite_each_other(kit: Kit) -> None:
    """`go build` calls a program after the last part of its package."""
    kit.tools(TOOLS.replace("pair/left", "pair/left/v1beta1").replace("pair/right", "r/v1beta1"))
    kit.go(version="v0.1.0")
    folder = toolchain.ensure(["pair"], quiet, from_path=False)["pair"].path
    assert {file.name for file in folder.iterdir()} == {"left", "right"}
    assert kit.go_calls("build") == 2


def test_of_a_folder_its_scripts_are_taken(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    module = kit.root / "modules" / "pair"
    for name in ("cmd/one/main.py", "cmd/one/main.go", "other/two.py"):
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_text(name)
    monkeypatch.setenv("MODULE", str(module))
    programs = "programs: {left: example.org/pair/left, right: example.org/pair/right}"
    kit.tools(TOOLS.replace(programs, "programs: {}\n        files: {code: cmd}"))
    script(kit.bin / "go", MODULE_AT)
    folder = toolchain.ensure(["pair"], quiet, from_path=False)["pair"].path
    found = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
    assert found == ["code/one/main.py"]
    assert kit.go_calls("build") == 0
    assert toolchain.ensure(["pair"], quiet, from_path=False)["pair"].source == "cache"
