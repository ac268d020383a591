"""The aws stacks under the real Terraform AWS provider against an emulator, and under Checkov.

Not Pulumi's own plugin, which cannot be had everywhere, and not AWS: docs/aws-lab.md says what
that proves.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import Lab
from tests.lab.stack_file import (
    ALLOWED_DIFFERENCES,
    KEY,
    ROOT,
    SKIPPED_TYPES,
    for_emulator,
    updated,
)

STACKS = ("aws-dev", "aws-prod")
EXCUSES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "checkov.yaml").read_text(encoding="utf-8")
)
FAILURE = re.compile(r"^(CKV2?_AWS_[0-9]+) +(\S+?):", re.MULTILINE)


def program(stack: str, file: Path, out: Path, call: str = "run") -> list[str]:
    return [
        *("--python", sys.executable, "--call", f"tests.lab.program:{call}"),
        *("--project", "mlops-infra", "--stack", stack),
        *("--config-file", str(file), "-o", str(out)),
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_up_again_change_again_and_down(stack: str, lab: Lab, tmp_path: Path, port: str) -> None:
    config = for_emulator(stack)
    file, out = tmp_path / f"Pulumi.{stack}.yaml", tmp_path / "out" / "main.tf.json"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    done = lab(
        "cycle",
        *("--port", port),
        *program(stack, file, out, "run_emptying"),
        *("--update-config", f"{KEY}={updated(config)}"),
        *("--check", f"{sys.executable} -W ignore -m tests.lab.look {stack} {out}"),
        *(part for each in SKIPPED_TYPES for part in ("--skip-type", each)),
        *(part for each in ALLOWED_DIFFERENCES for part in ("--allow-diff", each)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "destroy        ok" in done.stdout


@pytest.mark.parametrize("stack", STACKS)
def test_checkov_finds_nothing_without_a_reason(stack: str, lab: Lab, tmp_path: Path) -> None:
    out = tmp_path / "main.tf.json"
    exported = lab("export", *program(stack, ROOT / "stacks" / f"Pulumi.{stack}.yaml", out))
    assert exported.returncode == 0, exported.stdout + exported.stderr
    judged = lab("checkov", str(out), "--soft-fail")
    assert "checkov:" in judged.stdout + judged.stderr
    found = FAILURE.findall(judged.stdout)
    excuses = [each for each in EXCUSES if stack in each["stacks"]]
    used = {id(excuse) for excuse in excuses for failure in found if _excuses(excuse, *failure)}
    assert [f for f in found if not any(_excuses(each, *f) for each in excuses)] == []
    assert [each for each in excuses if id(each) not in used] == [], "excuses without a failure"


def _excuses(excuse: dict[str, Any], check: str, resource: str) -> bool:
    return excuse["check"] == check and fnmatch.fnmatch(resource, excuse["resources"])
