"""Helm values of each chart: plain data; secrets are named, never passed.

What one component alone needs stands in the module of its name, `kubeflow_pipelines.py` for
`kubeflow-pipelines`, as `def values(context: Context) -> Values`. It is found by that name, so a
new component changes no list. What all charts take is put in here.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from functools import cache

from mlops_infra.plan.images.roles import user
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.platform import common

__all__ = ["Context", "Values", "own_values", "values"]


def values(context: Context) -> Values:
    """All values that the plan sets; everything else is the chart's default."""
    component, config = context.component, context.config
    result: Values = {
        **common(context),
        **copy.deepcopy(dict(component.sizes.get(config.cluster.sizing, {}))),
    }
    first = next(iter(component.images), None)
    runs_as = user(component, first, config.network) if first else None
    if runs_as:
        result["runAs"] = {"user": runs_as.user, "group": runs_as.group}
    own = own_values(component.name)
    return merged(result, own(context)) if own else result


@cache
def own_values(name: str) -> Callable[[Context], Values] | None:
    """The function that knows what only the component `name` needs; None where nothing is."""
    module = f"{__name__}.{name.replace('-', '_')}"
    if importlib.util.find_spec(module) is None:
        return None
    function: Callable[[Context], Values] = importlib.import_module(module).values
    return function


def merged(left: Values, right: Mapping[str, object]) -> Values:
    """`right` laid over `left`, key by key."""
    for key, value in right.items():
        held = left.get(key)
        both = isinstance(held, dict) and isinstance(value, Mapping)
        left[key] = merged(held, value) if both else value  # type: ignore[arg-type]
    return left
