"""Helm values of each chart: plain data; secrets are named, never passed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from mlops_infra.catalog import Catalog, Component
from mlops_infra.config import StackConfig
from mlops_infra.plan import addresses, secrets
from mlops_infra.plan.images import user
from mlops_infra.plan.model import PlannedImage
from mlops_infra.plan.selection import Selection, StoreName, engine, store

Values = dict[str, Any]

STACK_LABEL = "mlops-infra.dev/stack"
"""On every object of a stack; teardown finds leftovers by it. Charts add their own component."""


class Context:
    """What the values of one component are made from."""

    def __init__(
        self, component: Component, config: StackConfig, selection: Selection, catalog: Catalog
    ) -> None:
        self.component = component
        self.config = config
        self.selection = selection
        self.catalog = catalog

    @property
    def clients(self) -> list[Values]:
        """Components that need this one, as NetworkPolicy peers."""
        return [
            {
                "namespace": each.component.namespace,
                "podLabels": {"app.kubernetes.io/name": each.component.name},
            }
            for each in self.selection.choices
            if self.component.name in self.selection.needs[each.component.name]
        ]


def values(context: Context, images: tuple[PlannedImage, ...], stack: str) -> Values:
    """All values that the plan sets; everything else is the chart's default."""
    component, config = context.component, context.config
    result: Values = {
        "images": {image.role: image.reference for image in images},
        "commonLabels": {STACK_LABEL: stack},
        "service": _service(component, config),
        "networkPolicy": {"enabled": True, "clients": context.clients},
        **copy.deepcopy(dict(component.sizes.get(config.cluster.sizing, {}))),
    }
    runs_as = user(component.images[0], config.network) if component.images else None
    if runs_as:
        result["runAs"] = {"user": runs_as.user, "group": runs_as.group}
    own = _OWN.get(component.name)
    return _merged(result, own(context)) if own else result


def _service(component: Component, config: StackConfig) -> Values:
    exposed = addresses.node_port(component.ports[0], config) if component.ports else None
    if exposed is None:
        return {"type": "ClusterIP"}
    return {"type": "NodePort", "nodePort": exposed}


def _merged(left: Values, right: Mapping[str, Any]) -> Values:
    for key, value in right.items():
        held = left.get(key)
        both = isinstance(held, dict) and isinstance(value, Mapping)
        left[key] = _merged(held, value) if both else value  # type: ignore[arg-type]
    return left


def _persistence(context: Context, name: StoreName) -> Values:
    wanted = store(context.config, name)
    return {
        "persistence": {
            "size": wanted.size,
            "storageClass": context.config.cluster.storage_class or "",
            "retain": wanted.retain,
        }
    }


def _postgresql(context: Context) -> Values:
    names = secrets.accounts(context.component, context.config, context.selection)
    return {
        **_persistence(context, "sql"),
        "auth": {"secret": "postgresql-admin"},
        "databases": [{"secret": name} for name in names],
    }


def _versitygw(context: Context) -> Values:
    wanted = context.config.stores.object
    return {
        **_persistence(context, "object"),
        "auth": {"secret": "object-store-root"},
        "region": wanted.region,
    }


def _valkey(context: Context) -> Values:
    return {**_persistence(context, "kv"), "auth": {"secret": "valkey-auth"}}


def _mlflow(context: Context) -> Values:
    config, settings = context.config, context.config.components.mlflow.settings
    objects = config.stores.object
    return {
        "workers": settings.workers,
        # the chart lists each name with and without a port
        "allowedHosts": [
            *addresses.server_names(context.component, config),
            *settings.allowed_hosts,
        ],
        "database": {**_database(context), "secret": "mlflow-db"},
        "objectStore": {
            "endpoint": objects.endpoint or _object_url(context),
            "region": objects.region,
            "bucket": objects.bucket,
            "prefix": settings.artifact_prefix,
            "secret": "mlflow-s3",
        },
        "auth": {"enabled": settings.auth, "secret": "mlflow-auth"},
        "networkPolicy": {"servers": [_server(context, "sql"), _server(context, "object")]},
    }


def _object_url(context: Context) -> str:
    component = context.catalog[context.config.stores.object.engine]
    return addresses.inside(component, component.ports[0])


def _database(context: Context) -> Values:
    sql = context.config.stores.sql
    if sql.endpoint:
        host, _, port = sql.endpoint.rpartition(":")
        return {"host": host, "port": int(port)}
    component = context.catalog[sql.engine]
    return {"host": addresses.host(component), "port": component.ports[0].number}


def _server(context: Context, name: StoreName) -> Values:
    """A store as a peer that the component may connect to."""
    if store(context.config, name).state == "managed":
        component = context.catalog[engine(context.config, name)]
        return {
            "namespace": component.namespace,
            "podLabels": {"app.kubernetes.io/name": component.name},
            "port": component.ports[0].number,
        }
    host, port = addresses.external(context.config, name)
    # A NetworkPolicy knows addresses, not names: a name opens its one port to all addresses.
    return {"cidr": f"{host}/32" if addresses.is_ipv4(host) else "0.0.0.0/0", "port": port}


_OWN: dict[str, Callable[[Context], Values]] = {
    "postgresql": _postgresql,
    "versitygw": _versitygw,
    "valkey": _valkey,
    "mlflow": _mlflow,
}
