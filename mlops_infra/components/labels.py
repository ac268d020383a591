"""The labels on every object of the platform that is not made by a chart, which sets the same."""

from __future__ import annotations

from mlops_infra.plan.stateful import COMPONENT_LABEL, STACK_LABEL

OWNER = "mlops-infra"


def labels(stack: str, component: str) -> dict[str, str]:
    """Common labels for an object of `component`."""
    return {
        "app.kubernetes.io/managed-by": OWNER,
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/part-of": OWNER,
        STACK_LABEL: stack,
        COMPONENT_LABEL: component,
    }
