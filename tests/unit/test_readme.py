"""READMEs and guides say the same in both languages; CI runs or parses what they tell to type."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.closed_guide import OPEN, script
from tests.readme import (
    AIR_GAP,
    CLONE,
    COVERED,
    GUIDES,
    PAGES,
    ROOT,
    blocks,
    commands,
    complaint,
    invocations,
    text,
)

READMES = ("README.md", "README.ko.md")
WRITTEN = [page for page in PAGES if page not in ("docs/reference/commands.md", "docs/aws-lab.md")]
"""Pages with commands to type; the first of the others is generated, the second is about a tool."""
KOREAN = ("README.ko.md", *(name for name in PAGES if name.endswith(".ko.md")))


def shape(name: str) -> list[str]:
    """What both languages must share: levels of headings, code, targets of links, rows, items."""
    prose = re.sub(r"^```.*?^```$", "", text(name), flags=re.MULTILINE | re.DOTALL)
    pattern = re.compile(r"^#+(?= )|`[^`\n]+`|\]\([^)]+\)|^\|(?= )|^- ", re.MULTILINE)
    # a page leads to pages of its own language, and to parts of them by headings of that language
    marks = (
        re.sub(r"((\.ko)?\.md(#[^)]*)?|#[^)]*)\)", ".md)", mark) for mark in pattern.findall(prose)
    )
    return sorted(marks)


@pytest.mark.parametrize("korean", KOREAN)
def test_both_languages_have_the_same_parts(korean: str) -> None:
    assert shape(korean.replace(".ko.md", ".md")) == shape(korean)


@pytest.mark.parametrize("korean", [name for name in KOREAN if name in GUIDES])
def test_both_languages_show_the_same_code(korean: str) -> None:
    assert blocks(korean.replace(".ko.md", ".md")) == blocks(korean)


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", *WRITTEN])
def test_the_program_takes_every_command_that_is_named(name: str) -> None:
    """Parsed by the program's own commands, never run."""
    wrong = [
        f"{' '.join(words)}: {told}"
        for words, whole in invocations(name)
        if (told := complaint(words, whole=whole))
    ]
    assert wrong == []


def test_a_wrong_option_is_noticed() -> None:
    assert complaint(["pipeline", "run", "x", "--nothing"], whole=False)
    assert complaint(["promote", "-s", "sandbox", "wine"], whole=True)
    assert not complaint(["promote", "-s", "sandbox", "wine"], whole=False)


def test_both_languages_name_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ko.md")


def test_ci_runs_every_command_of_the_readme() -> None:
    assert set(commands("README.md")) == set(COVERED)
    for command, file in COVERED.items():
        assert (ROOT / file).is_file(), f"{command} is said to be run by {file}"


def test_the_guide_of_closed_networks_says_what_the_readme_says() -> None:
    typed = script(OPEN, stack="core").splitlines()
    assert [each for each, file in COVERED.items() if file == AIR_GAP and each not in typed] == []


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


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", *PAGES])
def test_links_lead_to_files_and_headings(name: str) -> None:
    for target, part in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", text(name)):
        file = (ROOT / name).parent / target if target else ROOT / name
        assert file.exists(), target
        if part and file.suffix == ".md":
            assert part in anchors(file), f"{target}#{part}"


def anchors(file: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    heads = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def test_a_clone_is_enough_for_make_up(tmp_path: Path) -> None:
    """Typed as the README has it; nothing that git ignores may be needed."""
    origin = tmp_path / "origin" / "mlops-infra"
    origin.parent.mkdir()
    origin.symlink_to(ROOT)
    typed = CLONE.replace("REPOSITORY", shlex.quote(str(origin)))
    done = subprocess.run(
        ["bash", "-c", f"{typed} && make --dry-run up"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "requirements.lock" in done.stdout


def test_the_map_names_every_room() -> None:
    told = text("CONTRIBUTING.md")
    rooms = [p.parent.name for p in Path(ROOT / "mlops_infra").glob("*/__init__.py")]
    assert [room for room in rooms if f"`mlops_infra/{room}/`" not in told] == []
