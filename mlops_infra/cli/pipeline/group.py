"""`mlops-infra pipeline`: check, show, compile and run pipelines."""

from __future__ import annotations

import click

from mlops_infra.cli.pipeline.check import check
from mlops_infra.cli.pipeline.compile import compile_
from mlops_infra.cli.pipeline.list import list_
from mlops_infra.cli.pipeline.publish import publish
from mlops_infra.cli.pipeline.run import run
from mlops_infra.cli.pipeline.schedule import schedule
from mlops_infra.cli.pipeline.show import show
from mlops_infra.cli.pipeline.stop import stop


@click.group()
def command() -> None:
    """Check, publish and run pipelines, on any engine.

    A pipeline is one of the built-in pipelines (tabular-classification, tabular-regression), a
    Python file or notebook with functions marked @step, or a published version of such a file.
    """


for _each in (check, show, compile_, publish, list_, run, stop, schedule):
    command.add_command(_each)
