"""Says of every stateful AWS resource whether Pulumi may delete it, and what remains of it."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi import ResourceTransformationArgs, ResourceTransformationResult

from mlops_infra.components.aws.foundation.tags import Transformation
from mlops_infra.plan.aws.stateful import STATEFUL
from mlops_infra.plan.stateful import stateful_object


def retaining(*, protect: bool, allow_replace: Iterable[str]) -> Transformation:
    """A transformation that sets `protect` and `retain_on_delete` on what is stateful.

    Both are always set, to true or to false: a reader of the state sees a decision. A retained
    thing leaves the state at `down` and stays in the account.

    Args:
        protect: `protect` of the configuration.
        allow_replace: stateful things that the configuration lets go.
    """
    allowed = tuple(allow_replace)

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        found = stateful_object(args.type_, args.props)
        if found is None:
            return None
        held = protect and not found.allowed(allowed)
        args.opts.protect = held
        args.opts.retain_on_delete = held and STATEFUL[args.type_].remains == "itself"
        return ResourceTransformationResult(props=args.props, opts=args.opts)

    return transform
