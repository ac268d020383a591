"""Seconds until `down` names everything that holds a deletion.

The cases are those of the tests, with the patience that `down` has: on a control plane of their
own, and one on a core with real Pods whose cluster stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.commands import ROOT, MeasureError
from mlops_infra.teardown.kubernetes.blockers import PATIENCE

_TESTS = (
    "tests/engine/test_teardown_blockers.py",
    "tests/e2e/core/test_teardown.py::test_a_broken_configuration_stops_up_but_not_down",
)


def figures() -> dict[str, float]:
    """The figures `teardown_…`, the longest of each.

    Raises:
        MeasureError: a case fails, or was skipped for want of a program.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-infra-bench-") as folder:
        found = Path(folder) / "figures.json"
        told = {"MLOPS_INFRA_FIGURES": str(found), "MLOPS_INFRA_PATIENCE": str(PATIENCE)}
        words = [sys.executable, "-m", "pytest", "-n", "0", "-q", *_TESTS]
        done = subprocess.run(words, cwd=ROOT, env={**os.environ, **told}, check=False)
        if done.returncode != 0 or not found.exists():
            raise MeasureError(
                f"{' '.join(_TESTS)}: exit code {done.returncode}, or all was skipped"
            )
        read: dict[str, float] = json.loads(found.read_text())
        return read
