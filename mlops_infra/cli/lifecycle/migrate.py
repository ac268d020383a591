"""`mlops-infra lifecycle migrate`: the tables of this release."""

from __future__ import annotations

import click

from mlops_infra.cli import output


@click.command()
def migrate() -> None:
    """Migrate the lifecycle's database tables; the database is set by PG… variables."""
    from mlops_infra.lifecycle.services.database import migrate as migrate_tables

    ran = migrate_tables()
    output.text("\n".join(ran) if ran else "nothing to do: the tables have this release's version")
