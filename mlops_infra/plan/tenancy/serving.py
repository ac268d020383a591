"""Which component serves a tenant's models, as its Pods and `promote` read it."""

from __future__ import annotations

from typing import Any

from mlops_infra.config.language.section import SERVING_ENGINES
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.network import addresses, site


def serving(tenant: str, of: Deployment, loader: str | None) -> dict[str, Any]:
    """The document that `mlops_infra.lifecycle.serving.engines` reads.

    Args:
        tenant: whose models.
        of: the stack.
        loader: image that fetches models for Seldon Core; None where the stack has none.
    """
    config = of.config
    managed = [name for name in SERVING_ENGINES if name in of.selection]
    chosen = config.components.lifecycle.settings.serving
    told: dict[str, Any] = {
        "engines": managed,
        "default": chosen or next(iter(managed), None),
        "models": {
            name: model.serving
            for name, model in sorted(config.tenants[tenant].models.items())
            if model.serving is not None
        },
    }
    if loader is not None:
        objects = addresses.object_url(config, of.catalog)
        told["loader"] = loader
        if config.network.ca and objects.startswith("https:"):
            told["authorities"] = site.CA_CONFIG_MAP
    return told
