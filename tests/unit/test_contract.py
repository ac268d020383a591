"""Names that several rooms share are spelled in `mlops_infra/contract.py` and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_infra import contract

ROOT = Path(__file__).resolve().parents[2]
ALONE = frozenset({"scripts"})
"""Folders of files that run without this package, on AWS."""
PATTERN = re.compile(
    r"MLOPS_INFRA_|(?<!//)mlops-infra\.dev/|app\.kubernetes\.io/|mlops-stores|mlops-infra:stack|tenant-\{"
)
"""What nobody else writes, not even within a longer text."""
NAMES = frozenset(
    value for name, value in vars(contract).items() if name.isupper() and name != "OWNER"
)
"""All but the program's own name, which is also its command's."""


def sources() -> Iterator[Path]:
    for package in ("mlops_infra", "offline_bundle", "stacks"):
        for file in (ROOT / package).rglob("*.py"):
            if file.name != "contract.py" and file.parent.name not in ALONE:
                yield file


def spelled(text: str) -> list[str]:
    """Names of the contract that stand in a file's strings, documentation left out."""
    tree = ast.parse(text)
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{" for part in node.values]
            held = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            held = "" if id(node) in documentation else node.value
        else:
            continue
        if held in NAMES or PATTERN.search(held):
            found.append(f"line {node.lineno}: {held[:60]}")
    return found


def test_only_the_contract_spells_its_names() -> None:
    found = {
        str(file.relative_to(ROOT)): lines
        for file in sources()
        if (lines := spelled(file.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        'read("valkey-auth")',
        'namespace = f"tenant-{name}"',
        'hint = "set MLOPS_INFRA_DATA to a folder"',
        'labels = {"mlops-infra.dev/owner": "somebody"}',
    ],
)
def test_a_name_that_is_spelled_again_is_found(text: str) -> None:
    assert len(spelled(text)) >= 1
    assert spelled(f'"""{text!r}"""') == []
