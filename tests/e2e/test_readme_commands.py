"""Types the commands of the README against the running platform."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.platform import told
from tests.readme import COVERED, IN_CI, ROOT

SCRIPT = [command for command, file in COVERED.items() if file == IN_CI]


def test_the_commands_of_the_readme_work_as_written(platform: Any) -> None:
    """All in one shell, as a reader has one; the stack is the one that the tests brought up."""
    lines = [line.replace("-s sandbox", f"-s {platform.stack}") for line in SCRIPT]
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            "\n".join(f"echo '+ {i}'; {c}" for i, c in enumerate(lines)),
        ],
        cwd=ROOT,
        env=platform.environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, told(done)


@pytest.mark.parametrize("name", ["check", "status", "outputs", "preview"])
def test_the_same_commands_answer_in_json(platform: Any, name: str) -> None:
    import json

    done = platform.run(name, "-s", platform.stack, "--json")
    assert done.returncode == 0, told(done)
    assert json.loads(done.stdout)


def test_the_program_of_this_venv_is_the_one_tested() -> None:
    assert Path(sys.executable).with_name("mlops-infra").exists()
