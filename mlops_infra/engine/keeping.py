"""Marks in an exported state what a destroy leaves alone. Pure but for the SDK's own class."""

from __future__ import annotations

from collections.abc import Collection

from pulumi.automation import Deployment


def only(exported: Deployment, keep: Collection[str]) -> Deployment:
    """The same state with exactly the resources of `keep` protected and nothing retained.

    Pulumi forgets what is retained and leaves it in the cloud; what is protected stays in the
    state too, so that the next `up` finds it again. A purge keeps nothing and forgets nothing.
    """
    deployment = dict(exported.deployment or {})
    resources = [dict(each) for each in deployment.get("resources") or ()]
    for each in resources:
        each.pop("retainOnDelete", None)
        each.pop("protect", None)
        if each["urn"] in keep:
            each["protect"] = True
    return Deployment(exported.version, {**deployment, "resources": resources})
