"""The end of `make test`: what passed, what was left out, and a last line that CI can count."""

from __future__ import annotations

from collections import Counter

from tests.tiers import TIERS, Result, main, summary


def test_the_summary_names_what_was_left_out_and_ends_with_the_count() -> None:
    results = [
        Result("unit", 120, 0, Counter(), 9.5, 0),
        Result("charts", 7, 1, Counter({"needs helm": 3}), 2.0, 1),
    ]
    lines = summary(results, ["unit", "charts", "e2e"])
    assert "skipped 3 in charts: needs helm" in lines
    assert "not run: e2e, as charts failed" in lines
    assert lines[-1] == "127 passed, 1 failed, 3 skipped"


def test_a_tier_that_runs_alone_is_named_where_all_others_ran() -> None:
    done = [Result(tier, 1, 0, Counter(), 1.0, 0) for tier in TIERS]
    lines = summary(done, list(TIERS))
    assert "not run: kubeflow, compiles for minutes: make kubeflow" in lines
    assert "not run: upstream, takes upstream's images: make upstream REGISTRY=HOST:PORT" in lines
    assert not any("kubeflow" in line for line in summary(done[:1], ["unit"]))


def test_a_tier_that_fails_without_a_failed_test_counts() -> None:
    assert summary([Result("unit", 5, 0, Counter(), 1.0, 3)], ["unit"])[-1] == (
        "5 passed, 1 failed, 0 skipped"
    )


def test_an_unknown_tier_is_wrong_input() -> None:
    assert main(["unti"]) == 2
