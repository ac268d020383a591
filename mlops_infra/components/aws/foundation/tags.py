"""Tags on everything that can carry them, by one transform and never by hand.

The provider's `default_tags` would be shorter: they show as a change for ever on some types and
miss others (pulumi-aws issues 1655, 2666, 4080). A transformation of the parent component runs in
this process, so that tests see its effect.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pulumi import Resource, ResourceTransformationArgs, ResourceTransformationResult

FEW_TAGS = frozenset({"aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/objectCopy:ObjectCopy"})
"""An object takes ten tags, everything else fifty: these get the kit's own only."""

Transformation = Callable[[ResourceTransformationArgs], ResourceTransformationResult | None]


def tagging(tags: Mapping[str, str], kit: Mapping[str, str]) -> Transformation:
    """A transformation that puts `tags` on every taggable AWS resource below its owner.

    A tag that the component itself gives stays: `Name` of a subnet, for example.

    Args:
        tags: all of them.
        kit: the kit's own, for what takes only ten.
    """

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if not args.type_.startswith("aws:") or not taggable(type(args.resource)):
            return None
        given: Any = args.props.get("tags") or {}
        wanted = kit if args.type_ in FEW_TAGS else tags
        return ResourceTransformationResult(
            props={**args.props, "tags": {**wanted, **given}}, opts=args.opts
        )

    return transform


def taggable(resource: type[Resource]) -> bool:
    """Whether a resource class of pulumi_aws takes `tags`: asked of the class, not of a list."""
    return "tags" in _parameters(f"{resource.__module__}.{resource.__name__}", resource)


_KNOWN: dict[str, frozenset[str]] = {}
"""Parameters by class: reading a signature takes longer than declaring the resource."""


def _parameters(name: str, resource: type[Resource]) -> frozenset[str]:
    if name not in _KNOWN:
        construct = getattr(resource, "_internal_init", None)
        found = inspect.signature(construct).parameters if construct is not None else ()
        _KNOWN[name] = frozenset(found)
    return _KNOWN[name]
