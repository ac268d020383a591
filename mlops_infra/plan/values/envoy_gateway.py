"""The edge: a name for each page of the platform, and who must sign in for it."""

from __future__ import annotations

from typing import NamedTuple

from mlops_infra.plan.tenancy.notebooks import people
from mlops_infra.plan.values.context import Context, Values
from mlops_infra.plan.values.operators import runs

_JUPYTER = 8888
"""Port of every notebook server."""


class Page(NamedTuple):
    """Something behind the edge."""

    name: str
    """Its name below the edge's."""
    component: str
    port: str | None = None
    """The component's port; the first where None."""
    login: bool = True
    """Whether browsers must have signed in; models are asked with tokens of their own."""
    timeout: str = "60s"


PAGES = (
    Page("mlflow", "mlflow", timeout="15m"),
    Page("pipelines", "kubeflow-pipelines", "ui"),
    Page("notebooks", "notebooks", timeout="12h"),
    Page("dashboards", "grafana"),
    Page("metrics", "prometheus"),
    Page("airflow", "airflow"),
    Page("models", "lifecycle", login=False),
)


def values(context: Context) -> Values:
    """Name, certificate, login and routes."""
    settings = context.config.components.envoy_gateway.settings
    pages = [page for page in PAGES if _ports(page, context)]
    return {
        "awaitReady": runs(context),
        "hostname": settings.hostname,
        "tls": {"secret": "edge-certificate" if settings.certificate else ""},
        "oidc": _login(context),
        "edge": {"replicas": settings.replicas},
        "routes": [*(_route(page, context) for page in pages), *_notebooks(context)],
        "networkPolicy": {
            "servers": [
                server
                for page in pages
                for server in context.component_server(page.component, page.port)
            ]
            + [{"namespace": route["namespace"], "port": _JUPYTER} for route in _notebooks(context)]
        },
    }


def host(name: str, context: Context) -> str | None:
    """The host name of the page `name`; None where the stack has no edge."""
    if "envoy-gateway" not in context.selection:
        return None
    return f"{name}.{context.config.components.envoy_gateway.settings.hostname}"


def _login(context: Context) -> Values:
    login = context.config.components.envoy_gateway.settings.oidc
    if login is None:
        return {"issuer": ""}
    return {
        "issuer": login.issuer,
        "clientId": login.client_id,
        "secret": "edge-login",
        "scopes": list(login.scopes),
    }


def _notebooks(context: Context) -> list[Values]:
    """One route for each Notebook of Kubeflow's controller, which routes by Istio or not at all."""
    if "kubeflow-notebooks" not in context.selection:
        return []
    return [
        {
            "name": f"notebook-{person.tenant}-{person.name}",
            "host": "notebooks",
            # the prefix that the controller gives to the server
            "path": f"/notebook/{person.namespace}/{person.name}/",
            "namespace": person.namespace,
            "service": person.name,
            "port": 80,
            "login": True,
            "timeout": "12h",
        }
        for person in people(context.config)
    ]


def _ports(page: Page, context: Context) -> bool:
    return page.component in context.selection and bool(context.catalog[page.component].ports)


def _route(page: Page, context: Context) -> Values:
    component = context.catalog[page.component]
    port = component.port(page.port) if page.port else component.ports[0]
    return {
        "name": page.name,
        "namespace": component.namespace,
        "service": port.service or component.name,
        "port": port.number,
        "login": page.login,
        "timeout": page.timeout,
    }
