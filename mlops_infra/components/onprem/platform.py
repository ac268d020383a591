"""The whole on-prem platform of one stack: namespaces first, then applications by their needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from mlops_infra.components.labels import labels
from mlops_infra.components.onprem.application import Application
from mlops_infra.components.protection import PLATFORM, STATEFUL_LABEL
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.plan import Plan, PlannedNamespace

TYPE = "mlops-infra:onprem:Platform"


class OnPremPlatform(pulumi.ComponentResource):
    """Parent of everything; carries the one provider down to it."""

    def __init__(
        self,
        plan: Plan,
        *,
        stack: str,
        charts: Path,
        values: SecretValues,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(TYPE, PLATFORM, {}, opts)
        namespaces = {each.name: self._namespace(each, stack, plan) for each in plan.namespaces}
        made: dict[str, Resource] = {}
        for planned in plan.components:
            used = {planned.namespace, *(spec.namespace for spec in planned.secrets)}
            waits: list[Resource] = [namespaces[name] for name in sorted(used & set(namespaces))]
            waits += [made[name] for name in planned.needs if name in made]
            made[planned.name] = Application(
                planned,
                charts=charts,
                values=values,
                stack=stack,
                opts=ResourceOptions(parent=self, depends_on=waits),
            )
        self.register_outputs({})

    def _namespace(self, planned: PlannedNamespace, stack: str, plan: Plan) -> Namespace:
        stateful = any(c.stateful and c.namespace == planned.name for c in plan.components)
        return Namespace(
            planned.name,
            metadata=ObjectMetaArgs(
                name=planned.name,
                labels=_namespace_labels(planned.labels, stack, stateful=stateful),
            ),
            opts=ResourceOptions(parent=self),
        )


def _namespace_labels(
    given: Mapping[str, str], stack: str, *, stateful: bool
) -> dict[str, str]:
    return {**given, **labels(stack, PLATFORM), STATEFUL_LABEL: str(stateful).lower()}
