"""What Pulumi's Kubernetes provider is told about each object, by annotations that it reads.

The objects of a chart are made inside of the provider, so a transform puts them there: options
given to the chart itself would not reach them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from mlops_infra.naming import field_manager

FIELD_MANAGER = "pulumi.com/patchFieldManager"
SKIP_WAIT = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"

_BY_KIND: Mapping[str, Mapping[str, str]] = {
    # custom resources follow at once
    "CustomResourceDefinition": {WAIT_FOR: "condition=Established"},
    # Its Pod may be the next resource; and a claim that is bound before the provider has looked
    # once would be waited for in vain. Pods tell of a claim that stays unbound.
    "PersistentVolumeClaim": {SKIP_WAIT: "true"},
    # Waiting takes ten seconds after the last endpoint, and the Deployment behind it is waited for.
    # Where a webhook is served, whose first call must not fail, the chart says "false".
    "Service": {SKIP_WAIT: "true"},
}


def annotated(
    stack: str,
) -> Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]:
    """A transform that gives every object of `stack` its field manager and what to wait for.

    The provider's own field manager is random for each resource, so that an object which a killed
    run has made would belong to somebody else in the next one. This one is the same in every run.
    """
    manager = field_manager(stack)

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        package, kind = args.type_.partition(":")[0], args.type_.rpartition(":")[2]
        metadata = args.props.get("metadata")
        if package != "kubernetes" or not isinstance(metadata, Mapping):
            return None  # a chart, or the provider itself
        own: Mapping[str, Any] = metadata.get("annotations") or {}
        given = _BY_KIND.get(kind, {}) if SKIP_WAIT not in own and WAIT_FOR not in own else {}
        annotations = {**own, **given, FIELD_MANAGER: manager}
        props = {**args.props, "metadata": {**metadata, "annotations": annotations}}
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    return transform
