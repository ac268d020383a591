"""The parts of a step's time add up, and a log that tells nothing is no measurement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.commands import MeasureError
from bench.figures import SECTIONS
from bench.pipeline import PARTS, Step, means, note, read_log


def pod(*, placed: bool, prepared: bool, phase: str) -> dict[str, Any]:
    state = {"terminated": {}} if prepared else {"running": {}}
    return {
        "spec": {"nodeName": "one"} if placed else {},
        "status": {"phase": phase, "initContainerStatuses": [{"state": state}]},
    }


def stamp(at: float, text: str) -> str:
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{moment}789Z {text}"  # the kubelet writes nanoseconds


def walked(name: str, start: float) -> Step:
    step = Step(name, start)
    note(step, pod(placed=False, prepared=False, phase="Pending"), start)
    note(step, pod(placed=True, prepared=False, phase="Pending"), start + 0.25)
    note(step, pod(placed=True, prepared=True, phase="Pending"), start + 1)
    note(step, pod(placed=True, prepared=True, phase="Running"), start + 1.5)
    note(step, pod(placed=True, prepared=True, phase="Succeeded"), start + 3)
    note(step, pod(placed=True, prepared=True, phase="Succeeded"), start + 9)
    read_log(
        step,
        [
            stamp(start + 1.25, 'level=info msg="capturing logs" argo=true'),
            stamp(start + 1.5, "... wine: train"),
            stamp(start + 2.25, "ok  wine: train in 0.7 s"),
            stamp(start + 2.5, 'level=info msg="sub-process exited" argo=true'),
        ],
    )
    return step


def test_the_parts_of_a_step_and_the_wait_for_the_next_are_the_whole() -> None:
    found = means([walked("train", 1_700_000_000), walked("evaluate", 1_700_000_004)])
    assert found == pytest.approx(
        {
            "step_scheduled": 0.25,
            "step_prepared": 0.75,
            "step_process": 0.25,
            "step_imports": 0.25,
            "step_work": 1.0,
            "step_end": 0.5,
            "step_next": 1.0,
            # the first one until the second comes, the second until its end
            "step": 3.5,
            "step_longest": 4.0,
        }
    )
    assert sum(found[key] for key in PARTS.values()) == pytest.approx(3.0)
    assert set(found) <= {figure.key for section in SECTIONS for figure in section.figures}


def test_a_log_that_does_not_tell_when_the_step_began_is_no_measurement() -> None:
    with pytest.raises(MeasureError, match="train"):
        read_log(Step("train", 0.0), [stamp(1, "Killed")])
