"""The READMEs tell the same, and tell only what CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme import COVERED, ROOT, commands

READMES = ("README.md", "README.ko.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def shape(name: str) -> list[str]:
    """What both languages must share: levels of headings, code, targets of links, rows, items."""
    prose = re.sub(r"^```.*?^```$", "", text(name), flags=re.MULTILINE | re.DOTALL)
    pattern = re.compile(r"^#+(?= )|`[^`\n]+`|\]\([^)]+\)|^\|(?= )|^- ", re.MULTILINE)
    own = {"](README.ko.md)", "](README.md)"}
    return sorted(mark for mark in pattern.findall(prose) if mark not in own)


def test_both_languages_have_the_same_parts() -> None:
    assert shape("README.md") == shape("README.ko.md")


def test_both_languages_name_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ko.md")


def test_ci_runs_every_command_of_the_readme() -> None:
    assert set(commands("README.md")) == set(COVERED)
    for command, file in COVERED.items():
        assert (ROOT / file).is_file(), f"{command} is said to be run by {file}"


@pytest.mark.parametrize("target", ["up", "verify", "down"])
def test_make_is_a_short_form_of_the_program(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, "STACK=sandbox"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"mlops-infra {target} -s sandbox" in done.stdout


def test_make_test_is_what_ci_runs() -> None:
    assert text(".ci/run").rstrip().endswith("exec make test")


def test_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", "docs/decisions/0001-rooms.md"])
def test_links_lead_to_files(name: str) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", text(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_the_map_names_every_room() -> None:
    told = text("CONTRIBUTING.md")
    rooms = [p.parent.name for p in Path(ROOT / "mlops_infra").glob("*/__init__.py")]
    assert [room for room in rooms if f"`mlops_infra/{room}/`" not in told] == []
