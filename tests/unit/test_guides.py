"""Both languages of a guide are the same script, and CI knows what to do with every block of it."""

from __future__ import annotations

import pytest

from mlops_infra.config import load
from tests.guides import WALKED, blocks, commands, not_run
from tests.readme import ROOT


@pytest.mark.parametrize("guide", WALKED)
def test_both_languages_are_one_script(guide: str) -> None:
    ours, theirs = blocks(guide), blocks(f"{guide}.ko")
    assert [(b.section, b.kind, b.mark, b.body) for b in ours] == [
        (b.section, b.kind, b.mark, b.body) for b in theirs
    ]
    typed = [command for b in ours if b.kind == "console" for command in commands(b.body)]
    assert typed


def test_a_command_may_go_on_over_lines_and_shows_its_output() -> None:
    body = "$ a \\\n  b\n$ cat <<'END'\n$ no command\nEND\nshown\n\nmore\n$ c\n"
    assert [(c.typed, c.shown) for c in commands(body)] == [
        ("a \\\n  b", ""),
        ("cat <<'END'\n$ no command\nEND", "shown\n\nmore"),
        ("c", ""),
    ]


def test_what_is_not_run_says_why() -> None:
    assert all(len(block.not_run or "") > 10 for block in not_run())


def test_the_tenant_of_the_guide_is_not_in_the_sandbox() -> None:
    tenants = load(ROOT / "stacks" / "Pulumi.sandbox.yaml").tenants
    assert "demand" not in tenants
    assert "kim" in tenants["demo"].members
