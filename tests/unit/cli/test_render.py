"""Progress: few lines without a terminal, one live area on one, JSON lines for programs."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace

import pytest
from rich.console import Console

from mlops_infra.cli import output, render
from mlops_infra.cli.bars import Bars
from mlops_infra.progress import Event, step

STARTED = Event("started", 1, "fetch", at=0.0, total=30_000_000, unit="bytes")


def test_a_step_says_at_most_one_line_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    lines = render.Lines()
    lines.show(STARTED)
    for tick in range(100):
        lines.show(replace(STARTED, kind="advanced", at=tick / 20, done=tick * 300_000))
    lines.show(replace(STARTED, kind="finished", at=5.0, outcome="done", seconds=5.0))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "... fetch"
    assert told[1] == "    fetch: 6.0 MB of 30.0 MB (20%)"
    assert told[-1] == "ok  fetch in 5.0 s"
    assert len(told) == 6


def test_programs_get_every_event_as_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    sink = render.sink_for(as_json=True)

    def breaks() -> None:
        with step(sink, "build", total=2, unit="images") as work:
            work.advance()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        breaks()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["kind"] for event in told] == ["started", "advanced", "finished"]
    assert told[-1]["outcome"] == "failed"
    assert told[-1]["text"] == "no"


def test_threads_share_one_sink(capsys: pytest.CaptureFixture[str]) -> None:
    sink = render.sink_for(as_json=True)

    def work(number: int) -> None:
        with step(sink, f"work {number}") as one:
            for _ in range(50):
                one.advance()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(told) == 8 * 52


def test_bars_of_parallel_steps_end_as_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")  # on a dumb terminal bars are never drawn
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=100, highlight=False))
    second = replace(STARTED, step=2, title="[bold]odd title", total=None, unit="")
    bars.show(STARTED)
    bars.show(second)
    bars.show(replace(STARTED, kind="advanced", done=15_000_000))
    bars.show(replace(second, kind="noted", text="x" * 200))
    assert bars._progress is not None
    bars._progress.refresh()
    bars.show(replace(STARTED, kind="finished", outcome="done", seconds=2.0))
    bars.show(replace(second, kind="finished", outcome="failed", seconds=3.0, text="no disk"))
    bars.close()
    drawn = screen.getvalue()
    assert "15.0 MB of 30.0 MB (50%)" in drawn
    assert "fetch in 2.0 s" in drawn
    assert "FAILED [bold]odd title in 3.0 s: no disk" in drawn


def test_a_table_lines_up_also_with_korean(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "count", "time"), [("가나다", 7, "1.5 s"), ("b", None, "12.0 s")])
    told = capsys.readouterr().out.splitlines()
    assert told == ["NAME    COUNT    TIME", "가나다      7   1.5 s", "b           -  12.0 s"]
    assert len({output.width(line) for line in told}) == 1
