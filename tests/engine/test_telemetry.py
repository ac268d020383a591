"""No library that the kit uses tells its makers of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import mlops_infra.lifecycle.verify.connections
from mlflow.telemetry.client import get_telemetry_client
print(get_telemetry_client())
"""


def test_mlflow_is_silent_whoever_imports_it_first(tmp_path: Path) -> None:
    # an environment of its own: MLflow is silent where it sees CI or pytest
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "None\n", done.stderr
    assert list(tmp_path.rglob("*")) == []
