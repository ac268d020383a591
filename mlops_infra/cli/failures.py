"""Tells an error: for people on stderr, for programs as JSON, and a report of a crash in a file.

With `--json`, stderr always gets the error as its last line, and stdout gets it as the one document
of the run unless the command has already answered there.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import time
import traceback
from pathlib import Path

import click

from mlops_infra import __version__, places
from mlops_infra.cli.options import Session
from mlops_infra.errors import ConfigError, FoundError, MlopsError, OperationFailed

_SECRET_NAME = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|_KEY|APIKEY", re.IGNORECASE)
_SECRET_TEXT = (
    (re.compile(r"(://[^/\s:@]*):[^@\s/]+@"), r"\1:***@"),
    (
        re.compile(r"(?i)((?:password|passwd|passphrase|secret|token)\w*['\"]?\s*[=:]\s*)\S+"),
        r"\1***",
    ),
    (re.compile(r"(?i)(authorization['\"]?\s*[=:]\s*['\"]?\w+ )\S+"), r"\1***"),
)
_SHORTEST_SECRET = 4
"""Shorter values of an environment variable are words like `1` or `yes`, not secrets."""


def tell(error: MlopsError, session: Session) -> int:
    """Show `error` as the session asks for and return its exit code."""
    if session.verbose:
        click.echo(redacted("".join(traceback.format_exception(error))), err=True)
    if session.as_json:
        if not session.answered:
            click.echo(json.dumps(error.as_dict(), indent=2, ensure_ascii=False))
        line = {"kind": "error", **error.as_dict()}
        click.echo(json.dumps(line, ensure_ascii=False), err=True)
    else:
        click.echo("\n".join(_lines(error)), err=True)
    return error.exit_code


def crashed(error: Exception, session: Session) -> int:
    """Write a report of an error that nobody foresaw, say where it is and return 1."""
    report = _write_report(error)
    return tell(
        OperationFailed(
            f"unexpected {type(error).__name__}: {redacted(str(error))}",
            where=str(report) if report else "no report: the data folder is not writable",
            hint="this is a bug in mlops-infra: run again with -v, and send the report",
        ).with_traceback(error.__traceback__),
        session,
    )


def redacted(value: str) -> str:
    """`value` without passwords in URLs or assignments and without secrets of the environment."""
    for name, secret in os.environ.items():
        if _SECRET_NAME.search(name) and len(secret) >= _SHORTEST_SECRET:
            value = value.replace(secret, "***")
    for pattern, replacement in _SECRET_TEXT:
        value = pattern.sub(replacement, value)
    return value


def _lines(error: MlopsError) -> list[str]:
    lines = [click.style("error: ", fg="red", bold=True) + error.what]
    match error:
        case ConfigError():
            for problem in error.problems:
                place = f"{error.file}:{problem.line}" if problem.line else error.file
                nearest = f" ({problem.suggestion})" if problem.suggestion else ""
                lines.append(f"  {place}: {problem.path}: {problem.message}{nearest}")
        case FoundError():
            lines += [f"  - {finding}" for finding in error.findings]
        case _:
            pass
    if error.where and not isinstance(error, ConfigError):
        lines.append(f"  where: {error.where}")
    if error.hint:
        lines.append(f"  next:  {error.hint}")
    return lines


def _write_report(error: Exception) -> Path | None:
    # Arguments and local variables stay out: they may hold what must not be sent around.
    text = "\n".join(
        [
            f"mlops-infra {__version__}, Python {platform.python_version()}, {platform.platform()}",
            f"command: {' '.join(word for word in sys.argv[1:3] if not word.startswith('-'))}",
            "",
            redacted("".join(traceback.format_exception(error))),
        ]
    )
    try:
        folder = places.private(places.data() / "crash")
        file = folder / f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return file
