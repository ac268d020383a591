"""Half-done operations of a killed run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.engine import pending
from mlops_infra.errors import OperationFailed
from mlops_infra.progress import quiet


def operation(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "resource": {"urn": f"urn:pulumi:one::mlops-infra::t::{name}"}}


class Pulumi:
    def __init__(self, operations: list[dict[str, Any]]) -> None:
        self.state = {"version": 3, "deployment": {"pending_operations": operations, "x": 1}}
        self.calls: list[str] = []

    def __call__(self, words: list[str]) -> str:
        self.calls.append(words[1])
        if words[1] == "export":
            assert "--show-secrets" not in words
            return json.dumps(self.state)
        file = Path(words[words.index("--file") + 1])
        assert file.stat().st_mode & 0o777 == 0o600
        self.state = json.loads(file.read_text())
        return ""


def test_marks_go_and_what_was_interrupted_is_told(tmp_path: Path) -> None:
    pulumi = Pulumi([operation("creating", "a"), operation("updating", "b")])
    told = pending.clear(pulumi, pulumi.state["deployment"], "one", tmp_path, quiet)
    assert [urn.rpartition("::")[2] for urn in told] == ["a", "b"]
    assert pulumi.state["deployment"] == {"pending_operations": [], "x": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_clean_state_costs_no_process(tmp_path: Path) -> None:
    pulumi = Pulumi([])
    assert pending.clear(pulumi, {"resources": []}, "one", tmp_path, quiet) == []
    assert pulumi.calls == []


def test_a_state_is_read_plain_and_compressed(tmp_path: Path) -> None:
    state = tmp_path / "one.json"
    assert pending.deployment_of(state) == {}
    text = json.dumps({"checkpoint": {"latest": {"resources": [1]}}})
    (tmp_path / "one.json.gz").write_bytes(gzip.compress(text.encode()))
    assert pending.deployment_of(state) == {"resources": [1]}
    state.write_text(text.replace("1", "2"))
    assert pending.deployment_of(state) == {"resources": [2]}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_state_is_named_with_its_backup(tmp_path: Path, text: str) -> None:
    state = tmp_path / "one.json"
    state.write_text(text)
    with pytest.raises(OperationFailed) as caught:
        pending.deployment_of(state)
    assert caught.value.hint is not None
    assert "one.json.bak" in caught.value.hint
