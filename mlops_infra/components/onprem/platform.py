"""The whole on-prem platform of one stack: namespaces first, then applications by their needs."""

from __future__ import annotations

from pathlib import Path

import pulumi
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from mlops_infra.components.labels import labels
from mlops_infra.components.onprem.application import Application
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.plan import Plan
from mlops_infra.plan.stateful import PLATFORM, STATEFUL_LABEL

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
        pod_security: str,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(TYPE, PLATFORM, {}, opts)
        namespaces = {name: self._namespace(name, plan, pod_security) for name in _namespaces(plan)}
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

    def _namespace(self, name: str, plan: Plan, pod_security: str) -> Namespace:
        stateful = any(c.stateful and c.namespace == name for c in plan.components)
        return Namespace(
            name,
            metadata=ObjectMetaArgs(
                name=name,
                labels={
                    **labels(plan.stack, PLATFORM),
                    STATEFUL_LABEL: str(stateful).lower(),
                    "pod-security.kubernetes.io/enforce": pod_security,
                },
            ),
            opts=ResourceOptions(parent=self),
        )


def _namespaces(plan: Plan) -> list[str]:
    """Those of the components and those that only a client's Secret goes to."""
    secrets = [spec.namespace for each in plan.components for spec in each.secrets]
    return list(dict.fromkeys([*plan.namespaces, *secrets]))
