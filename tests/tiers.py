"""Runs the tiers of tests one after the other, cheap ones first, and sums them up.

``python -m tests.tiers`` runs `TIERS`, ``python -m tests.tiers unit charts`` some. Each tier is a
pytest process of its own, so that no tier sees what another one imported. A tier that fails ends
the run: the dearer ones would fail for the same reason. What did not run is named, and why.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TIERS = ("unit", "charts", "graph", "engine", "e2e", "faults")
APART = {
    "kubeflow": "compiles for minutes: make kubeflow",
    "upstream": "takes upstream's images: make upstream REGISTRY=HOST:PORT",
}
"""Tiers that run when they are asked for alone, and why."""
FOLDER = Path(__file__).resolve().parent
SLOWEST = "--durations=6"
BY_FILE = ("-n", "auto", "--dist", "loadfile")
"""Files share nothing but the processor; a file and its fixtures stay in one worker."""
IN_TWO = ("-n", "2", "--dist", "loadfile")
"""The same for tests that mostly wait: two at a time, however many cores there are."""
IN_LANES = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
"""What shares a platform stays together, in the order that the tier's `conftest.py` gives."""
PARALLEL = {
    "unit": BY_FILE,
    "charts": BY_FILE,
    "graph": IN_TWO,
    "engine": IN_TWO,
    "e2e": IN_LANES,
    "faults": IN_TWO,
}
"""How a tier is spread over processes; one that is not named runs in one."""
NO_TESTS = 5
"""pytest's exit code for an empty collection."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one tier came to."""

    tier: str
    passed: int
    failed: int
    skipped: Counter[str]
    """Reason to number of tests."""
    seconds: float
    code: int


def run(tier: str) -> Result:
    """Run one tier, its output going to the terminal as it comes."""
    print(f"\n===== {tier} =====", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", str(FOLDER / tier)),
                *(f"--junitxml={report}", SLOWEST, *PARALLEL.get(tier, ())),
            ],
            cwd=FOLDER.parent,
            check=False,
            preexec_fn=_interruptible,
        )
        passed, failed, skipped = _counts(report)
    code = 0 if done.returncode == NO_TESTS else done.returncode
    return Result(tier, passed, failed, skipped, time.monotonic() - started, code)


def _interruptible() -> None:
    # Shells start background jobs deaf to Ctrl-C, and children inherit that: the tests press it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _counts(report: Path) -> tuple[int, int, Counter[str]]:
    """Passed, failed and skipped of a report; a tier that died before writing one has failed."""
    if not report.exists():
        return 0, 1, Counter()
    passed = failed = 0
    skipped: Counter[str] = Counter()
    # pytest itself has just written this file
    for case in ET.parse(report).iter("testcase"):  # noqa: S314
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skip is not None:
            skipped[skip.get("message") or "no reason given"] += 1
        else:
            passed += 1
    return passed, failed, skipped


def summary(results: list[Result], asked: list[str]) -> list[str]:
    """The lines that end the run; the last one is the count."""
    lines = ["", "===== summary =====", "tier      passed  failed  skipped     time"]
    for r in results:
        counts = f"{r.passed:>6}  {r.failed:>6}  {r.skipped.total():>7}"
        empty = "" if r.passed + r.failed + r.skipped.total() else "   no tests"
        lines.append(f"{r.tier:<8}  {counts}  {r.seconds:>6.1f} s{empty}")
    for r in results:
        lines += [f"skipped {n} in {r.tier}: {why}" for why, n in sorted(r.skipped.items())]
    lines += [f"not run: {tier}, as {results[-1].tier} failed" for tier in asked[len(results) :]]
    if set(TIERS) <= set(asked):
        lines += [f"not run: {tier}, {why}" for tier, why in APART.items() if tier not in asked]
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    skips = sum(r.skipped.total() for r in results)
    # A tier can fail without a failed test: a warning at collection, an error at its end.
    failed = failed or sum(r.code != 0 for r in results)
    return [*lines, "", f"{passed} passed, {failed} failed, {skips} skipped"]


def main(asked: list[str]) -> int:
    """Run the tiers that are asked for; 0 when all of them went well."""
    there = (*TIERS, *APART)
    unknown = sorted(set(asked) - set(there))
    if unknown:
        print(f"no such tier: {', '.join(unknown)}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    for tier in asked:
        results.append(run(tier))
        if results[-1].code:
            break
    print("\n".join(summary(results, asked)), flush=True)
    return max(result.code for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(TIERS)))
