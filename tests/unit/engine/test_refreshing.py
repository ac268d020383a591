"""On AWS the state is refreshed before it is compared, unless somebody says no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_infra.engine.last_run import Given
from mlops_infra.engine.runner import Engine
from mlops_infra.engine.stack_dir import StackDir
from mlops_infra.engine.stack_record import StackRecord
from mlops_infra.engine.tools import Tools
from mlops_infra.progress import quiet


class FakeStack:
    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def refresh(self, **options: Any) -> None:
        self.calls.append(("refresh", options.get("target")))

    def preview(self, *, refresh: bool, **_options: Any) -> None:
        self.calls.append(("preview", refresh))

    def up(self, **_options: Any) -> None:
        self.calls.append(("up", None))


@pytest.fixture
def stack() -> FakeStack:
    return FakeStack()


@pytest.fixture
def engine(tmp_path: Path, stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(Engine, "_open", lambda _self: stack)
    folder = tmp_path / "state" / ".pulumi" / "stacks" / "mlops-infra"
    folder.mkdir(parents=True)
    resources = [{"urn": "urn:x", "type": "aws:s3/bucket:Bucket"}]
    state = {"checkpoint": {"latest": {"resources": resources}}}
    (folder / "cloud.json").write_text(json.dumps(state))
    stack_dir = StackDir("cloud", tmp_path / "cloud")
    stack_dir.folder.mkdir()
    record = StackRecord(f"file://{tmp_path / 'state'}", None, None, None, region="ap-northeast-2")
    found = Tools(Path("/nonexistent/pulumi"), "3.0.0", ())
    return Engine("cloud", quiet, stack_dir=stack_dir, record=record, tools=found, environment={})


def test_up_refreshes_once_and_then_compares(engine: Engine, stack: FakeStack) -> None:
    engine.up((), given=Given("a"))
    assert stack.calls == [("refresh", None), ("preview", False), ("up", None)]


def test_a_preview_changes_no_state(engine: Engine, stack: FakeStack) -> None:
    engine.preview()
    assert stack.calls == [("preview", True)]


def test_without_refresh_aws_is_not_asked(engine: Engine, stack: FakeStack) -> None:
    engine.preview(refresh=False)
    engine.up((), given=Given("a"), refresh=False)
    assert stack.calls == [("preview", False), ("preview", False), ("up", None)]
