"""However causes, windows and crashes fall together: never two trainings for one cause."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_infra.lifecycle.triggers import Past, Policy, Waiting, Window, decide, workflow_name
from mlops_infra.lifecycle.triggers.rules import URGENCY, held_back

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)  # a Monday
MINUTE = datetime.timedelta(minutes=1)
NIGHT = Window(frozenset(range(7)), datetime.time(22), datetime.time(4))

windows = st.builds(
    Window,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    opens=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    closes=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
policies = st.builds(
    Policy,
    cool_down=st.integers(1, 600).map(lambda n: n * MINUTE),
    windows=st.lists(windows, max_size=2).map(tuple),
    zone=st.sampled_from(["UTC", "Asia/Seoul", "America/New_York"]).map(ZoneInfo),
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 2000)),
        st.tuples(st.just("cause"), st.sampled_from(URGENCY)),
        st.tuples(st.just("ends"), st.just(0)),
    ),
    min_size=1,
    max_size=40,
)


@dataclass
class Model:
    """The book of one model, as plain lists."""

    policy: Policy
    now: datetime.datetime = START
    waiting: list[Waiting] = field(default_factory=list)
    starts: list[tuple[datetime.datetime, Waiting]] = field(default_factory=list)
    answered: list[Waiting] = field(default_factory=list)
    running: str | None = None

    def tick(self) -> None:
        past = Past(self.starts[-1][0] if self.starts else None, self.running)
        decision = decide(self.waiting, self.policy, past, self.now)
        if decision.fire is None:
            assert bool(decision.hold) == bool(self.waiting)
            return
        self.starts.append((self.now, decision.fire))
        self.answered += [decision.fire, *decision.covered]
        self.running = decision.fire.key
        self.waiting = []


@given(policies, moves)
def test_one_training_for_each_cause_and_none_too_early(
    policy: Policy, moves: list[tuple[str, object]]
) -> None:
    model, made = Model(policy), 0
    for what, value in moves:
        if what == "wait":
            assert isinstance(value, int)
            model.now += value * MINUTE
        elif what == "cause":
            made += 1
            model.waiting.append(Waiting(f"m/{value}", value, str(made), model.now))  # type: ignore[arg-type]
        else:
            model.running = None
        model.tick()
    keys = [each.key for each in [*model.answered, *model.waiting]]
    assert sorted(keys) == sorted({str(n + 1) for n in range(made)}), "none lost, none twice"
    for (before, _), (at, cause) in zip(model.starts, model.starts[1:], strict=False):
        assert cause.kind == "on-demand" or at - before >= policy.cool_down
    for at, cause in model.starts:
        local = at.astimezone(policy.zone)
        inside = not policy.windows or any(window.holds(local) for window in policy.windows)
        assert inside or cause.kind == "on-demand"


@given(policies, st.integers(0, 10_000))
def test_a_cause_is_answered_as_soon_as_the_rules_allow(policy: Policy, minutes: int) -> None:
    now = START + minutes * MINUTE
    waiting = [Waiting("m/new-data", "new-data", "a", START)]
    free = held_back(policy, Past(), now) is None
    assert (decide(waiting, policy, Past(), now).fire is not None) == free


@pytest.mark.parametrize(
    ("hour", "open_"), [(21, False), (22, True), (0, True), (3, True), (4, False), (12, False)]
)
def test_a_window_may_reach_over_midnight(hour: int, open_: bool) -> None:
    assert NIGHT.holds(START.replace(hour=hour)) is open_
    monday_only = Window(frozenset({0}), NIGHT.opens, NIGHT.closes)
    assert monday_only.holds(START.replace(hour=1)) is False
    assert monday_only.holds(START.replace(day=3, hour=1)) is True


def test_windows_are_told_by_the_clock_of_their_zone() -> None:
    seoul = Policy(windows=(NIGHT,), zone=ZoneInfo("Asia/Seoul"))
    assert held_back(seoul, Past(), START.replace(hour=14)) is None  # 23:00 there
    assert held_back(seoul, Past(), START.replace(hour=23)) is not None


def test_a_person_waits_for_nothing_but_a_training_that_runs() -> None:
    waiting = [
        Waiting("m/schedule", "schedule", "1", START),
        Waiting("m/on-demand", "on-demand", "2", START),
    ]
    held = Policy(cool_down=600 * MINUTE, windows=(NIGHT,))
    now = START.replace(hour=12)
    decision = decide(waiting, held, Past(last=now - MINUTE), now)
    assert decision.fire is not None
    assert decision.fire.key == "2"
    assert [each.key for each in decision.covered] == ["1"]
    assert decide(waiting, held, Past(under_way="x"), now).hold == "x is running"


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_names_of_workflows_are_valid_and_tell_causes_apart(model: str, a: str, b: str) -> None:
    name = workflow_name("demo", model, "t", a)
    assert len(name) <= 52
    assert name.replace("-", "a").isalnum()
    assert name.isascii()
    assert name == name.lower().strip("-")
    assert (name == workflow_name("demo", model, "t", b)) == (a == b)
