"""What components with an operator share: its webhooks, and whether anybody answers."""

from __future__ import annotations

from mlops_infra.plan.images.reality import simulated
from mlops_infra.plan.network.certificates import ca_bundle
from mlops_infra.plan.values.context import Context, Values


def runs(context: Context) -> bool:
    """Whether the component's Pods really run.

    Where they are simulated, a webhook would refuse everything because nobody answers it, and no
    operator would ever report that a resource is ready.
    """
    return not context.config.cluster.simulated and not simulated(context.images)


def webhook(context: Context, secret: str) -> Values:
    """`webhook` of the component's chart.

    Args:
        context: the component.
        secret: its Secret in the catalog with `certificate:` recipes.
    """
    namespace = context.component.namespace or ""
    return {
        "webhook": {
            "enabled": runs(context),
            "secret": secret,
            "caBundle": ca_bundle(namespace),
        }
    }
