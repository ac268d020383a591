"""A state that a full disk cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_infra.engine.mending import mend
from mlops_infra.progress import Event, quiet

WHOLE = {"version": 3, "checkpoint": {"latest": {"resources": []}}}
CUT = json.dumps(WHOLE)[:-5]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    file = tmp_path / ".pulumi" / "stacks" / "mlops-infra" / "one.json"
    file.parent.mkdir(parents=True)
    return file


def mended(state: Path) -> bool:
    return mend(f"file://{state.parents[3]}", "one", quiet)


def finished(state: Path, number: int, text: str) -> None:
    folder = state.parents[2] / "backups" / "mlops-infra" / "one"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"one.{number}.json").write_text(text)


def test_a_whole_state_or_none_is_left_alone(state: Path) -> None:
    assert not mended(state)
    state.write_text(json.dumps(WHOLE))
    assert not mended(state)
    assert [each.name for each in state.parent.iterdir()] == ["one.json"]


@pytest.mark.parametrize("text", ["", CUT, "null", "{}"])
def test_the_copy_of_one_step_before_is_put_back(state: Path, text: str) -> None:
    state.write_text(text)
    state.with_name("one.json.bak").write_text(json.dumps(WHOLE))
    assert mended(state)
    assert json.loads(state.read_text()) == WHOLE
    assert state.with_name("one.json.damaged").read_text() == text


@pytest.mark.parametrize("text", ["", '{"user.cache'])
def test_sums_that_were_cut_go_and_the_state_stays(state: Path, text: str) -> None:
    state.write_text(json.dumps(WHOLE))
    cut = [state.parents[2] / "meta.yaml.attrs", state.with_name("one.json.attrs")]
    for file in cut:
        file.write_text(text)
    whole = state.with_name("one.json.bak.attrs")
    whole.write_text("{}")
    assert not mended(state), "the state itself has all that was recorded"
    assert json.loads(state.read_text()) == WHOLE
    assert not any(file.exists() for file in cut)
    assert whole.exists()


def test_then_the_newest_of_a_finished_run(state: Path) -> None:
    state.write_text(CUT)
    state.with_name("one.json.bak").write_text("")
    older = {**WHOLE, "version": 2}
    finished(state, 100, json.dumps(older))
    finished(state, 200, json.dumps(WHOLE))
    finished(state, 300, CUT)
    assert mended(state)
    assert json.loads(state.read_text()) == WHOLE


def test_without_any_it_begins_anew_and_says_so(state: Path) -> None:
    state.write_text(CUT)
    state.with_name("one.json.attrs").write_text("{}")
    events: list[Event] = []
    assert mend(f"file://{state.parents[3]}", "one", events.append)
    assert not state.exists()
    assert not state.with_name("one.json.attrs").exists()
    assert "rebuilt from the cluster" in events[-1].text


def test_remote_backends_are_not_touched() -> None:
    assert not mend("s3://bucket", "one", quiet)
