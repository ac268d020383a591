"""The outputs that both profiles promise (docs: design, "Outputs that both profiles promise").

Anything built on the platform reads these and never a profile's own resources. A key is always
there; its value is null where a component is removed.
"""

from __future__ import annotations

from collections.abc import Mapping

OUTPUTS = (
    "profile",
    "environment",
    "version",
    "artifact_root",
    "tracking_uri",
    "registry_uri",
    "pipeline_endpoint",
    "feature_endpoint",
    "serving_endpoint",
    "catalog",
    "lineage_endpoint",
    "notebooks_url",
    "dashboards_url",
    "components",
)
"""Every promised key, in the order that `mlops-infra outputs` shows."""

NODE = "{node}"
"""Stands in a plan's URLs for an address that only the running cluster knows."""


def promised(
    planned: Mapping[str, object], *, node: str | None, version: str
) -> dict[str, object]:
    """The outputs of a plan with the node's address put in.

    Raises:
        ValueError: a URL needs the node's address and it is not known.
    """
    found: dict[str, object] = {key: planned.get(key) for key in OUTPUTS}
    found["version"] = version
    further = {key: value for key, value in planned.items() if key not in found}
    return {key: _resolved(value, node) for key, value in {**found, **further}.items()}


def _resolved(value: object, node: str | None) -> object:
    if isinstance(value, str) and NODE in value:
        if not node:
            raise ValueError(f"the node's address is needed for {value}")
        return value.replace(NODE, node)
    if isinstance(value, Mapping):
        return {key: _resolved(each, node) for key, each in value.items()}
    return value
