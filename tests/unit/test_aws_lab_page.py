"""docs/aws-lab.md tells what the laboratory's files say."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.lab.stack_file import ALLOWED_DIFFERENCES, LACKING, SKIPPED_TYPES

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "aws-lab.md").read_text(encoding="utf-8")


def test_every_excuse_of_checkov_is_on_the_page() -> None:
    excuses = yaml.safe_load((ROOT / "tests" / "lab" / "checkov.yaml").read_text(encoding="utf-8"))
    for each in excuses:
        stacks = ", ".join(each["stacks"])
        row = f"| {each['check']} | `{each['resources']}` | {stacks} | {each['reason']} |"
        assert row in PAGE
    assert PAGE.count("| CKV") == len(excuses)


def test_every_gap_of_the_emulator_is_on_the_page() -> None:
    for why in (*SKIPPED_TYPES.values(), *ALLOWED_DIFFERENCES.values(), *LACKING.values()):
        assert why in PAGE
    for name in (*SKIPPED_TYPES, *ALLOWED_DIFFERENCES):
        assert f"`{name}`" in PAGE
