"""One planned component: its Secrets and the objects of its chart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.helm.v4 import Chart
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from mlops_infra.components.labels import labels
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.plan import PlannedComponent, SecretSpec
from mlops_infra.plan.stateful import STATEFUL_LABEL

TYPE = "mlops-infra:onprem:Application"


class Application(pulumi.ComponentResource):
    """A component of the platform; done when its Pods are ready."""

    def __init__(
        self,
        planned: PlannedComponent,
        *,
        charts: Path,
        values: SecretValues,
        stack: str,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(TYPE, planned.name, {"version": planned.version}, opts)
        marks = labels(stack, planned.name)
        # A new password under a running database locks everybody out: such a Secret is stateful.
        marks[STATEFUL_LABEL] = str(planned.stateful).lower()
        secrets = [self._secret(spec, values, marks) for spec in planned.secrets]
        if planned.chart:
            Chart(
                planned.name,
                chart=str(charts / planned.chart),
                namespace=planned.namespace,
                values=dict(planned.values),
                opts=ResourceOptions(parent=self, depends_on=secrets),
            )
        self.register_outputs({"version": planned.version})

    def _secret(self, spec: SecretSpec, values: SecretValues, marks: Mapping[str, str]) -> Secret:
        return Secret(
            f"{spec.namespace}-{spec.name}",
            metadata=ObjectMetaArgs(
                name=spec.name,
                namespace=spec.namespace,
                labels=marks,
            ),
            type="Opaque",
            string_data=values.of(spec),
            opts=ResourceOptions(parent=self),
        )
