"""The commands that the READMEs tell people to type, and what runs each of them in CI."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

IN_CI = "tests/e2e/test_readme_commands.py"
COVERED = {
    "make up": "tests/e2e/conftest.py",
    "make test": ".ci/run",
    "make down": "tests/e2e/conftest.py",
    'export PATH="$PWD/.venv/bin:$PATH"': IN_CI,
    "mlops-infra verify -s sandbox": IN_CI,
    "mlops-infra status -s sandbox": IN_CI,
    "mlops-infra outputs -s sandbox": IN_CI,
    "mlops-infra check -s sandbox": IN_CI,
    "mlops-infra preview -s sandbox": IN_CI,
    "mlops-infra up -s sandbox": IN_CI,
    'eval "$(mlops-infra env -s sandbox)"': IN_CI,
    "pulumi preview -s sandbox": IN_CI,
}
"""Command to the file that runs it. `make up` and `make down` are `mlops-infra up` and `down` (a
unit test looks), which the platform of the e2e tier is made and taken down with."""


def commands(name: str) -> list[str]:
    """Every line of the blocks marked `sh`, in their order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / name).read_text("utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]
