"""The commands, known by name and one line each, and imported only when one of them runs.

A command file `mlops_infra/cli/<name>.py` exposes `command: click.Command`. The first line of its
docstring is the line in this table; a test compares them, so that `--help` never has to import the
file.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

import click

from mlops_infra.cli import options

COMMANDS: dict[str, str] = {
    "check": "Check a stack's file and show the plan, without opening a socket.",
    "licences": "List the licence of every image and the decision of the policy.",
    "preview": "Show what `up` would change.",
    "up": "Deploy the platform, or update it.",
    "status": "Show the cluster, the components and their Pods.",
    "outputs": "Print the endpoints and versions of the platform.",
    "verify": "Test the running platform with a model.",
    "pipeline": "Check, publish and run pipelines, on any engine.",
    "promote": "Promote a model version, tried on live traffic first.",
    "move": "Move a served model to another engine, without a gap.",
    "lineage": "Show everything linked to a run, model, data set or commit.",
    "replay": "Trace a logged prediction to its model and compute it again.",
    "retrain": "Retrain a declared model now.",
    "drift": "Compare requests to models with their training data.",
    "batch": "Score tables and buckets with the champion model, each row once.",
    "tenant": "List the tenants of a stack, or remove one from its file.",
    "backup": "Copy databases, buckets and keys into a folder.",
    "restore": "Restore a backup into the platform's stores.",
    "down": "Remove the platform and list what remains.",
    "env": "Print the environment variables for plain `pulumi`.",
    "cluster": "Start, stop, inspect and delete the embedded cluster.",
    "toolchain": "Install and list the pinned programs.",
    "images": "Build images from packages, and pull upstream's.",
    "bundle": "Lock, build, verify, push and install offline bundles.",
    "step": "Run one step of a pipeline; engines call this.",
    "serve": "Serve one model; SageMaker calls this in its containers.",
    "lifecycle": "Run the platform's own processes; its Pods call this.",
}
"""Name to help line, in the order of a stack's life."""


class LazyGroup(click.Group):
    """A group that lists its commands from `COMMANDS` and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import the file of one command; None where there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"mlops_infra.cli.{cmd_name}").command
        _add_verbose(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but with the nearest names of the table in the error."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no such command: '{name}'{_nearest(name)}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """The list in `--help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line.rstrip(".")) for name, line in COMMANDS.items()])


def _nearest(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    return f", did you mean '{close[0]}'?" if close else ""


def _add_verbose(command: click.Command) -> None:
    """Give the command, and all below it, `-v`: nobody has to remember it."""
    if not any(parameter.name == "verbose" for parameter in command.params):
        options.verbose(command)
    below: Iterable[click.Command] = (
        command.commands.values() if isinstance(command, click.Group) else ()
    )
    for child in below:
        _add_verbose(child)
