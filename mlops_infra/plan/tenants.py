"""One planned component for each tenant: the chart `tenant` in the tenant's own namespace."""

from __future__ import annotations

from urllib.parse import urlsplit

from mlops_infra import __version__, contract
from mlops_infra.config import Tenant
from mlops_infra.config.language.quantities import doubled
from mlops_infra.plan.model.choices import STORES, Selection, engine, store
from mlops_infra.plan.model.deployment import Deployment
from mlops_infra.plan.model.planned import PlannedComponent
from mlops_infra.plan.network import addresses, site
from mlops_infra.plan.tenancy import paths, pipelines
from mlops_infra.plan.tenancy.accounts import identity, own
from mlops_infra.plan.tenancy.surroundings import PodImages, surroundings
from mlops_infra.plan.values import Values

CHART = "tenant"
CONTROLLERS = {
    "argo-workflows": {"argo-workflows-tenant": "argo-workflows"},
    "kserve": {"kserve-tenant": "kserve"},
    "kubeflow-pipelines": {
        "kubeflow-pipelines-tenant": "ml-pipeline",
        "kubeflow-pipelines-schedules-tenant": "ml-pipeline-scheduledworkflow",
    },
    "lifecycle": {"lifecycle-tenant": "lifecycle"},
}
"""Components that work in tenants: ClusterRoles of their charts, and the account that gets each."""


def tenants(of: Deployment, images: PodImages) -> tuple[PlannedComponent, ...]:
    """The tenants in the order of their names.

    Args:
        of: the stack; what is deployed decides which accounts and paths there are.
        images: what Pods of tenants run.
    """
    config = of.config
    served = tuple(engine(config, s) for s in STORES if store(config, s).state == "managed")
    return tuple(
        PlannedComponent(
            name=contract.tenant_namespace(name),
            version=__version__,
            namespace=contract.tenant_namespace(name),
            chart=CHART,
            values=_values(name, of, images),
            needs=tuple(each for each in served if each in of.selection),
            images=(),
            secrets=own(name, of),
            stateful=False,
            tenant=name,
        )
        for name in sorted(config.tenants)
    )


def _values(name: str, of: Deployment, images: PodImages) -> Values:
    config, tenant = of.config, of.config.tenants[name]
    return {
        "commonLabels": {contract.STACK_LABEL: of.stack, contract.TENANT_LABEL: name},
        "tenant": {
            "name": name,
            "owner": tenant.owner or "",
            "members": list(tenant.members),
            "groups": list(tenant.groups),
        },
        "quota": _quota(tenant),
        "platform": surroundings(name, of, images),
        "controllers": _controllers(of.selection),
        **site.pull_secrets(config),
        **_artifacts(name, of),
        "serving": {
            "secret": contract.SERVING_S3_SECRET if config.stores.object.state != "removed" else ""
        },
        "pipelines": pipelines.values(of),
        "networkPolicy": {
            "servers": paths.servers(of),
            "clients": paths.clients(of.selection),
            "apiServer": {"cidrs": paths.api_server(config)},
        },
    }


def _artifacts(name: str, of: Deployment) -> Values:
    """Where Argo keeps artifacts and logs: in the tenant's own bucket."""
    config = of.config
    objects = config.stores.object
    if objects.state == "removed":
        return {}
    url = addresses.object_url(config, of.catalog)
    trusted = site.CA_CONFIG_MAP if config.network.ca and url.startswith("https:") else ""
    return {
        "artifacts": {
            "endpoint": urlsplit(url).netloc,
            "bucket": config.tenants[name].bucket or identity(name),
            "region": objects.region,
            "insecure": url.startswith("http:"),
            **({"caSecret": trusted} if trusted else {}),
        }
    }


def _controllers(selection: Selection) -> list[Values]:
    """Whom the tenant lets in; their charts bring the ClusterRoles."""
    return [
        {"role": role, "account": account, "namespace": choice.component.namespace}
        for choice in selection.choices
        for role, account in CONTROLLERS.get(choice.component.name, {}).items()
    ]


def _quota(tenant: Tenant) -> Values:
    """`spec.hard` of the ResourceQuota."""
    given = tenant.quota
    hard: Values = {
        "pods": str(given.pods),
        # a port on the nodes would be a way around the walls
        "services.nodeports": "0",
        "services.loadbalancers": "0",
    }
    if given.cpu is not None:
        hard |= {"requests.cpu": given.cpu, "limits.cpu": doubled(given.cpu)}
    if given.memory is not None:
        hard |= {"requests.memory": given.memory, "limits.memory": doubled(given.memory)}
    if given.gpu is not None:
        hard["requests.nvidia.com/gpu"] = str(given.gpu)
    if given.storage is not None:
        hard["requests.storage"] = given.storage
    return hard
