"""PostgreSQL in several servers; the same databases, users and Service as a single one."""

from __future__ import annotations

from mlops_infra import contract
from mlops_infra.plan.images.roles import user
from mlops_infra.plan.model.planned import Literal, SecretSpec
from mlops_infra.plan.tenancy.accounts import copies
from mlops_infra.plan.values import secrets
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import runs, webhook


def values(context: Context) -> Values:
    """Volumes, servers, and the databases with the roles that may enter each."""
    volume = context.persistence("sql")["persistence"]
    component, config, selection = context.component, context.config, context.selection
    specs = (
        *secrets.specs(component, config, selection),
        *copies(component, config, selection),
    )
    return {
        **webhook(context, "cnpg-webhook-cert"),
        "persistence": {key: volume[key] for key in ("size", "storageClass")},
        "auth": {"secret": contract.POSTGRESQL_ADMIN_SECRET},
        **_postgres(context),
        "awaitReady": runs(context),
        "instances": config.stores.sql.instances,
        "databases": [entry for spec in specs for entry in _database(spec)],
    }


def _postgres(context: Context) -> Values:
    """The user that the servers' image knows."""
    server = next(image for image in context.component.images if image.role == "server")
    found = user(context.component, server, context.config.network)
    return {"postgres": {"user": found.user, "group": found.group}} if found else {}


def _database(spec: SecretSpec) -> list[Values]:
    """The database of a client's Secret; nothing for Secrets that name none."""
    name, owner = spec.keys.get("database"), spec.keys.get("username")
    if not isinstance(name, Literal) or not isinstance(owner, Literal):
        return []
    return [{"name": name.value, "owner": owner.value, "secret": spec.name}]
