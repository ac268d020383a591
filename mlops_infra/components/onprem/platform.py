"""The whole on-prem platform of one stack: namespaces first, then applications by their needs."""

from __future__ import annotations

import pulumi
from pulumi import Resource, ResourceOptions
from pulumi_kubernetes.core.v1 import ConfigMap, Namespace, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from mlops_infra import contract
from mlops_infra.components.labels import labels
from mlops_infra.components.onprem.application import Application
from mlops_infra.components.secret_values import SecretValues
from mlops_infra.plan import Plan
from mlops_infra.plan.network.site import CA_CONFIG_MAP, CA_KEY, KSERVE_CA_KEY, REGISTRY_LOGIN
from mlops_infra.plan.stateful import PLATFORM

TYPE = "mlops-infra:onprem:Platform"
KUBEFLOW = "kubeflow"
"""Namespace of the parts of Kubeflow."""
_EXPERIMENTS = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
"""Label of a namespace without which Katib refuses every experiment in it."""


class OnPremPlatform(pulumi.ComponentResource):
    """Parent of everything; carries the one provider down to it.

    Args:
        plan: what to deploy.
        stack: name of the stack.
        charts: folder of the charts, or `oci://` URL that they are below.
        values: resolves the keys of Secrets.
        pod_security: level of Pod Security in the platform's own namespaces.
        authorities: PEM of the site's certificates, for a ConfigMap in every namespace.
        login: `.dockerconfigjson` for the site's registry, for a Secret in every namespace.
        opts: holds the one provider.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        stack: str,
        charts: str,
        values: SecretValues,
        pod_security: str,
        authorities: str | None = None,
        login: pulumi.Output[str] | None = None,
        opts: ResourceOptions,
    ) -> None:
        super().__init__(TYPE, PLATFORM, {}, opts)
        namespaces: dict[str, Resource] = {
            name: self._namespace(name, plan, pod_security) for name in _namespaces(plan)
        }
        if authorities is not None:
            # Pods mount the map: it stands before anything that waits for the namespace
            namespaces = {
                name: self._authorities(name, plan, authorities, namespace)
                for name, namespace in namespaces.items()
            }
        if login is not None:
            namespaces = {
                name: self._login(name, plan, login, first) for name, first in namespaces.items()
            }
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
        tenant = next((c.tenant for c in plan.components if c.tenant and c.namespace == name), None)
        # what people run there nobody has reviewed; Kubeflow's own Pods keep to it as well
        level = "restricted" if tenant or name == KUBEFLOW else pod_security
        tunes = tenant is not None and any(c.name == "katib" for c in plan.components)
        return Namespace(
            name,
            metadata=ObjectMetaArgs(
                name=name,
                labels={
                    **labels(plan.stack, PLATFORM),
                    contract.STATEFUL_LABEL: str(stateful).lower(),
                    "pod-security.kubernetes.io/enforce": level,
                    **({contract.TENANT_LABEL: tenant} if tenant else {}),
                    **(_EXPERIMENTS if tunes else {}),
                },
            ),
            opts=ResourceOptions(parent=self),
        )

    def _authorities(self, name: str, plan: Plan, pem: str, namespace: Resource) -> ConfigMap:
        about = ObjectMetaArgs(
            name=CA_CONFIG_MAP, namespace=name, labels=labels(plan.stack, PLATFORM)
        )
        options = ResourceOptions(parent=self, depends_on=[namespace])
        if any(each.tenant and each.namespace == name for each in plan.components):
            # Argo's executor takes certificates from Secrets alone
            Secret(
                f"{name}-{CA_CONFIG_MAP}-secret",
                metadata=about,
                string_data={CA_KEY: pem},
                opts=options,
            )
        return ConfigMap(
            f"{name}-{CA_CONFIG_MAP}",
            metadata=about,
            data={CA_KEY: pem, KSERVE_CA_KEY: pem},
            opts=options,
        )

    def _login(self, name: str, plan: Plan, login: pulumi.Output[str], first: Resource) -> Secret:
        return Secret(
            f"{name}-{REGISTRY_LOGIN}",
            metadata=ObjectMetaArgs(
                name=REGISTRY_LOGIN, namespace=name, labels=labels(plan.stack, PLATFORM)
            ),
            type="kubernetes.io/dockerconfigjson",
            string_data={".dockerconfigjson": login},
            opts=ResourceOptions(parent=self, depends_on=[first]),
        )


def _namespaces(plan: Plan) -> list[str]:
    """Those of the components and those that only a client's Secret goes to."""
    secrets = [spec.namespace for each in plan.components for spec in each.secrets]
    return list(dict.fromkeys([*plan.namespaces, *secrets]))
