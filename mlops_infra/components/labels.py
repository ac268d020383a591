"""The labels on every object of the platform that is not made by a chart, which sets the same."""

from __future__ import annotations

from mlops_infra import contract


def labels(stack: str, component: str) -> dict[str, str]:
    """Common labels for an object of `component`."""
    return {
        contract.MANAGED_BY_LABEL: contract.OWNER,
        contract.NAME_LABEL: component,
        contract.PART_OF_LABEL: contract.OWNER,
        contract.STACK_LABEL: stack,
        contract.COMPONENT_LABEL: component,
    }
