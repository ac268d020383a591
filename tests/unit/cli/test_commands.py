"""The list of commands is true, quick, and needs none of what the commands need."""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mlops_infra.cli.commands import COMMANDS
from mlops_infra.cli.main import cli

HEAVY = ("pulumi", "kubernetes", "boto3", "mlflow", "rich", "pydantic", "yaml", "sklearn", "numpy")
LISTED = (
    "import sys; sys.argv = ['mlops-infra', '--help']\n"
    "from mlops_infra.cli.main import run\n"
    "code = run(['--help'])\n"
    f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    "sys.exit(code)"
)


def leaves(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        return [
            leaf
            for name, child in command.commands.items()
            for leaf in leaves(child, (*path, name))
        ]
    return [(" ".join(path), command)]


def loaded(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTED], capture_output=True, text=True, check=True, timeout=30
    )
    for name, line in COMMANDS.items():
        assert name in done.stdout
        assert line.rstrip(".") in done.stdout
    assert "HEAVY []" in done.stdout


def test_help_is_quick() -> None:
    # Processor time: what else runs on the machine does not count. `make bench` has the wall time.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [Path(sys.executable).with_name("mlops-infra"), "--help"],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str) -> None:
    first_line = (loaded(name).help or "").partition("\n")[0]
    assert first_line == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_has_the_common_options(name: str) -> None:
    for path, command in leaves(loaded(name), (name,)):
        assert command.help, path
        options = {flag for parameter in command.params for flag in parameter.opts}
        assert "-v" in options, path
        # the platform's own processes tell nothing but their log
        # and what is asked for as a document is one already
        if path not in ("env", "pipeline compile") and not path.startswith(("lifecycle ", "serve")):
            assert "--json" in options, path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, f"{path} {parameter.opts}"


def test_every_command_file_is_listed() -> None:
    folder = Path(importlib.import_module("mlops_infra.cli").__path__[0])
    exposing = {file.stem for file in folder.glob("*.py") if "\ndef command(" in file.read_text()}
    bundle = loaded("bundle")
    assert isinstance(bundle, click.Group)
    assert exposing <= {*COMMANDS, *(f"bundle_{name}" for name in bundle.commands)}


def test_completion_knows_the_commands() -> None:
    env = {**os.environ, "_MLOPS_INFRA_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    done = subprocess.run(
        [Path(sys.executable).with_name("mlops-infra")],
        env={**env, "COMP_WORDS": "mlops-infra ver"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.split() == ["plain,verify"]
