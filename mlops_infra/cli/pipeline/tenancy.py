"""Whose pipelines a command is about: a tenant of a stack, or that of this Pod."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.errors import InputError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.pipeline.submission.tenancy import Tenancy
    from mlops_infra.progress import Sink

stack_option = click.option("-s", "--stack", metavar="NAME", help="Stack of the platform to use.")
tenant_option = click.option(
    "-t", "--tenant", metavar="NAME", help="Tenant: its namespace, bucket and experiments."
)


def tenancy_of(
    stack: str | None, tenant: str | None, file: Path | None, sink: Sink, image: str | None = None
) -> Tenancy:
    """The tenant that the options name; without them that of this Pod.

    Args:
        stack: name of the stack.
        tenant: of the stack.
        file: the stack's file, where it is not in its place.
        sink: progress.
        image: of the steps, where it is not the stack's.

    Raises:
        InputError: one of stack and tenant is missing, or the stack has no such tenant.
    """
    from mlops_infra.lifecycle.pipeline.submission import tenancy

    if stack is None:
        if tenant is not None:
            raise InputError("a tenant needs a stack", hint="add -s NAME")
        return tenancy.here()
    if tenant is None:
        raise InputError("a stack needs a tenant", hint="add --tenant NAME")
    from mlops_infra.cli.open_stack import OpenStack

    return OpenStack(stack, file, sink).tenancy(tenant, image)
