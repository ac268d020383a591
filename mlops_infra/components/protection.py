"""Pulumi's protection of what holds state."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pulumi

from mlops_infra.plan.stateful import stateful_object


def protecting(
    allow_replace: Iterable[str],
) -> Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]:
    """A transform that sets Pulumi's `protect` on what is stateful and not let go.

    A transform, because the objects of a chart are made inside the provider: options given to the
    chart itself would protect its Services and Deployments too and stop every ordinary change.
    """
    allowed = tuple(allow_replace)

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        found = stateful_object(args.type_, args.props)
        if found is None or found.allowed(allowed):
            return None
        args.opts.protect = True
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

    return transform
