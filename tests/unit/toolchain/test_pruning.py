"""What is needed for making tools goes, the tools stay."""

from pathlib import Path

import pytest

from mlops_infra import toolchain
from mlops_infra.toolchain import store


def test_caches_of_the_compiler_go_and_tools_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_INFRA_CACHE", str(tmp_path))
    files = [store.root() / name for name in ("go/mod/a.go", "go/build/00/b", "downloads/c.tar.gz")]
    tool = store.home(toolchain.pin("helm")) / "bin" / "helm"
    for each in (*files, tool):
        each.parent.mkdir(parents=True)
        each.write_bytes(b"12345")
    assert toolchain.prune(lambda _event: None) == 15
    assert [each.exists() for each in (*files, tool)] == [False, False, False, True]
    assert toolchain.prune(lambda _event: None) == 0
