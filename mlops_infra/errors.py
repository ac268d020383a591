"""Every error that this program raises on purpose, and the exit code that goes with it.

::

    MlopsError                    1  the operation failed
    ├── InputError                2  the input is wrong
    │   └── ConfigError           2  ... the stack's file, with every mistake in it
    │       └── PlanError         2  ... the file is well formed, what it asks for is refused
    ├── FoundError                3  a check, verify or leftover report found something
    ├── MissingError              4  something needed is missing on this machine
    ├── OperationFailed           1  an engine, a cluster or a build said no
    │   └── StackLocked           1  ... because another run holds the stack
    └── Interrupted             130  the user stopped it

Only `mlops_infra.cli` catches these and exits. Everything else raises them with three parts that a
person reads in this order: what happened, where, and the next command to type.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass


class MlopsError(Exception):
    """Base of the tree: `what` happened, `where`, and the `hint` for the next step."""

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"  where: {self.where}")
        if self.hint:
            parts.append(f"  next:  {self.hint}")
        return "\n".join(parts)

    def as_dict(self) -> dict[str, object]:
        """The same three parts for `--json`."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "hint": self.hint,
            "exitCode": self.exit_code,
        }


class InputError(MlopsError):
    """What the user gave (a file, an option, a name) cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in an input file."""

    path: str
    """Dotted path of the key, for example `stores.sql.engine`."""
    message: str
    line: int | None = None
    """1-based line in the file; None where the key is absent from it."""
    suggestion: str | None = None
    """The nearest valid key or value, or what to write instead."""


def check_command(file: str) -> str:
    """The command that checks the stack's file `file` again."""
    if file.endswith((".yaml", ".yml")):
        return f"mlops-infra check --file {shlex.quote(file)}"
    # Pulumi's program has no file, it knows `stack NAME`
    return f"mlops-infra check -s {file.removeprefix('stack ').rpartition(' ')[2]}"


class ConfigError(InputError):
    """All mistakes of one configuration file at once."""

    def __init__(self, file: str, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        count = len(problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in {file}",
            where=file,
            hint=hint or f"fix the lines above, then: {check_command(file)}",
        )
        self.file = file
        self.problems = tuple(problems)

    def as_dict(self) -> dict[str, object]:
        """The problems as a list beside the common parts."""
        listed = [
            {
                "path": p.path,
                "line": p.line,
                "message": p.message,
                "suggestion": p.suggestion,
            }
            for p in self.problems
        ]
        return {**super().as_dict(), "problems": listed}


class PlanError(ConfigError):
    """A licence, a compatibility rule or this release refuses what the file asks for."""


class FoundError(MlopsError):
    """A check ran to its end and found something that must not be there."""

    exit_code = 3

    def __init__(
        self,
        what: str,
        findings: Sequence[str] = (),
        *,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.findings = tuple(findings)

    def as_dict(self) -> dict[str, object]:
        """The findings as a list beside the common parts."""
        return {**super().as_dict(), "findings": list(self.findings)}


class MissingError(MlopsError):
    """A right, a tool or a device that this machine lacks."""

    exit_code = 4


class OperationFailed(MlopsError):
    """Something that was tried did not work."""


class StackLocked(OperationFailed):
    """Another run holds the stack's lock."""


class Interrupted(MlopsError):
    """The user asked to stop; what was done so far is recorded."""

    exit_code = 130
