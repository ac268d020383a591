"""Runs one command and ends the process with the exit code that its outcome deserves."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import click

from mlops_infra import __version__, contract
from mlops_infra.cli import failures, options
from mlops_infra.cli.commands import LazyGroup
from mlops_infra.errors import InputError, Interrupted, MissingError, MlopsError

PROGRAM = "mlops-infra"
OWN = ("mlops_infra", "offline_bundle", "stacks")
BROKEN_PIPE = 141
"""128 + SIGPIPE: what a shell reports of a program whose reader went away."""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input, 3 something was found, "
    "4 something is missing on this machine, 130 interrupted.",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@options.verbose
@click.pass_context
def cli(context: click.Context) -> None:
    """Deploy a whole MLOps platform from one typed configuration file."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console script `mlops-infra`."""
    if contract.COMPLETION_VARIABLE in os.environ:
        cli.main(prog_name=PROGRAM, complete_var=contract.COMPLETION_VARIABLE)
    signal.signal(signal.SIGTERM, _interrupt)
    code = run(list(sys.argv[1:] if arguments is None else arguments))
    # The command has ended and its exit code is known: one more Ctrl-C must not change it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_gone()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command that `arguments` name and return its exit code; never raises."""
    session = options.Session(as_json="--json" in arguments)
    try:
        with cli.make_context(PROGRAM, arguments, obj=session) as context:
            cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        return failures.tell(_as_input_error(error), session)
    except MlopsError as error:
        return failures.tell(error, session)
    except (KeyboardInterrupt, click.Abort):
        return failures.tell(Interrupted("stopped on request"), session)
    except BrokenPipeError:
        return _reader_gone()
    except ImportError as error:
        return _module_missing(error, session)
    except Exception as error:  # noqa: BLE001 - the last line of defence: a report, not a traceback
        if _stopping(error):
            what = f"stopped on request; the cleanup failed: {failures.redacted(str(error))}"
            return failures.tell(Interrupted(what), session)
        return failures.crashed(error, session)
    return 0


def _as_input_error(error: click.ClickException) -> MlopsError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else PROGRAM
    return InputError(error.format_message(), where=path, hint=f"{path} --help")


def _module_missing(error: ImportError, session: options.Session) -> int:
    package = (error.name or "").partition(".")[0]
    if package in OWN and importlib.util.find_spec("mlops_infra.engine") is None:
        # images/program.py leaves it out
        elsewhere = MissingError(
            "the runtime image has only the commands that run in Pods",
            where=PROGRAM,
            hint="run the command on the machine that deploys the stack",
        )
        return failures.tell(elsewhere.with_traceback(error.__traceback__), session)
    if package in OWN or not isinstance(error, ModuleNotFoundError):
        return failures.crashed(error, session)
    missing = MissingError(
        f"the Python package '{package}' is not installed",
        where=sys.prefix,
        hint="pip install 'mlops-infra[onprem]', or [aws] for that profile",
    )
    return failures.tell(missing.with_traceback(error.__traceback__), session)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # A supervisor's polite stop is the user's Ctrl-C: what is under way gets closed and recorded.
    raise KeyboardInterrupt


def _stopping(error: BaseException) -> bool:
    """Whether `error` came while the program wound up after the user had stopped it."""
    while error.__context__ is not None:
        error = error.__context__
        if isinstance(error, KeyboardInterrupt):
            return True
    return False


def _reader_gone() -> int:
    # Python flushes stdout once more at exit; give that flush somewhere to go.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
