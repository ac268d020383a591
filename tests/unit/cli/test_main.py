"""What a person and a program get when something goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from mlops_infra import errors
from mlops_infra.cli import main, output
from mlops_infra.cli.commands import LazyGroup

CANARY = "canary-7f3a91"


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Replace every command by one that raises what it is given."""
    monkeypatch.setenv("MLOPS_INFRA_DATA", str(tmp_path / "data"))

    def replace(error: BaseException, *, answer: object = None) -> None:
        @click.command()
        @click.option("--json", is_flag=True, expose_value=False)
        @click.option("-s", "stack", expose_value=False)
        def command() -> None:
            if answer is not None:
                output.document(answer)
            raise error

        from mlops_infra.cli import options

        options.verbose(command)
        monkeypatch.setattr(LazyGroup, "get_command", lambda _self, _ctx, _name: command)

    return replace


def _while_stopping() -> BaseException:
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError("the folder is gone already")
    except OSError as error:
        return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.OperationFailed("no"), 1),
        (errors.StackLocked("no"), 1),
        (errors.InputError("no"), 2),
        (errors.FoundError("no"), 3),
        (errors.MissingError("no"), 4),
        (errors.Interrupted("no"), 130),
        (KeyboardInterrupt(), 130),
        (_while_stopping(), 130),
        (click.Abort(), 130),
        (click.UsageError("no"), 2),
        (RuntimeError("no"), 1),
        (ModuleNotFoundError("no", name="kubernetes.client"), 4),
        (ModuleNotFoundError("no", name="mlops_infra.gone"), 1),
    ],
)
def test_the_class_of_an_error_owns_the_exit_code(raising, error, code) -> None:  # type: ignore[no-untyped-def]
    raising(error)
    assert main.run(["up", "-s", "x"]) == code


def test_a_person_reads_what_where_next_on_stderr(raising, capsys) -> None:  # type: ignore[no-untyped-def]
    raising(errors.MissingError("no root", where="uid 1000", hint="sudo mlops-infra up"))
    main.run(["up"])
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "error: no root\n  where: uid 1000\n  next:  sudo mlops-infra up\n"


def test_every_problem_of_a_file_is_told_with_its_line(raising, capsys) -> None:  # type: ignore[no-untyped-def]
    problems = [
        errors.Problem("stores.sgl", "unknown key", 7, "did you mean sql?"),
        errors.Problem("profile", "is missing"),
    ]
    raising(errors.ConfigError("a.yaml", problems))
    assert main.run(["check"]) == 2
    told = capsys.readouterr().err
    assert "a.yaml:7: stores.sgl: unknown key (did you mean sql?)" in told
    assert "a.yaml: profile: is missing" in told


def test_json_has_one_document_on_stdout(raising, capsys) -> None:  # type: ignore[no-untyped-def]
    raising(errors.FoundError("left over", ["pv/a", "pv/b"], hint="look"))
    assert main.run(["down", "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out)["findings"] == ["pv/a", "pv/b"]
    line = json.loads(told.err.splitlines()[-1])
    assert (line["kind"], line["error"], line["exitCode"]) == ("error", "FoundError", 3)


def test_json_keeps_the_answer_that_was_given(raising, capsys) -> None:  # type: ignore[no-untyped-def]
    raising(errors.FoundError("one step failed"), answer={"ok": False})
    assert main.run(["verify", "--json"]) == 3
    told = capsys.readouterr()
    assert json.loads(told.out) == {"ok": False}
    assert json.loads(told.err)["what"] == "one step failed"


def test_json_of_wrong_usage(capsys) -> None:  # type: ignore[no-untyped-def]
    assert main.run(["chekc", "--json"]) == 2
    assert "did you mean 'check'" in json.loads(capsys.readouterr().out)["what"]


def test_a_crash_leaves_a_report_without_secrets(  # type: ignore[no-untyped-def]
    raising, capsys, monkeypatch, tmp_path
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", CANARY)
    raising(RuntimeError(f"http://me:{CANARY}x@host/ password={CANARY}y and {CANARY}"))
    assert main.run(["up", "-v"]) == 1
    told = capsys.readouterr().err
    (report,) = (tmp_path / "data" / "crash").iterdir()
    assert str(report) in told
    assert "Traceback" in told
    written = report.read_text()
    assert "RuntimeError" in written
    assert "test_main.py" in written
    assert CANARY not in written + told
    assert report.stat().st_mode & 0o077 == 0


def test_a_traceback_is_shown_on_request_only(raising, capsys) -> None:  # type: ignore[no-untyped-def]
    raising(errors.OperationFailed("no"))
    main.run(["up"])
    assert "Traceback" not in capsys.readouterr().err
    main.run(["-v", "up"])
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    program = Path(sys.executable).with_name("mlops-infra")
    done = subprocess.run(
        ["bash", "-c", f"{program} --help | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode in (0, main.BROKEN_PIPE)
    assert done.stderr == ""
