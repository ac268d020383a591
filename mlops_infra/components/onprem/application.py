"""One planned component: its Secrets and the objects of its chart."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.helm.v4 import Chart
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from mlops_infra import contract
from mlops_infra.components.labels import labels
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.plan import Certificate, PlannedComponent, SecretSpec

TYPE = "mlops-infra:onprem:Application"


class Application(pulumi.ComponentResource):
    """A component of the platform; done when its Pods are ready."""

    def __init__(
        self,
        planned: PlannedComponent,
        *,
        charts: str,
        values: SecretValues,
        stack: str,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(TYPE, planned.name, {"version": planned.version}, opts)
        marks = labels(stack, planned.name)
        secrets = [
            self._secret(spec, values, {**marks, contract.STATEFUL_LABEL: str(lasting).lower()})
            for spec in planned.secrets
            # A new password under a running database locks everybody out: such a Secret is
            # stateful. A certificate is not: replacing it is how it is renewed.
            for lasting in [planned.stateful and not _is_certificate(spec)]
        ]
        if planned.chart:
            Chart(
                planned.name,
                chart=f"{charts}/{planned.chart}",
                namespace=planned.namespace or None,
                values=values.authorities.filled(planned.values),
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
                annotations=dict(spec.annotations) or None,
            ),
            type=spec.type,
            string_data=values.of(spec),
            opts=ResourceOptions(parent=self),
        )


def _is_certificate(spec: SecretSpec) -> bool:
    return any(isinstance(value, Certificate) for value in spec.keys.values())
