"""CustomResourceDefinitions: the groups that the stack's components ask for."""

from __future__ import annotations

from mlops_infra.plan.values.context import Context, Values


def values(context: Context) -> Values:
    """Groups, and whether they outlive the platform."""
    groups = {group for each in context.selection.choices for group in each.component.crds}
    return {"groups": sorted(groups), "keep": context.config.cluster.crds == "keep"}
