"""The components a stack may hold, and the gate that says what may be shipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.language.section import Section, Text
from mlops_infra.config.onprem.component import (
    AirflowComponent,
    ArgoWorkflowsComponent,
    ComponentConfig,
    EnvoyGatewayComponent,
    FeastComponent,
    GrafanaComponent,
    KatibComponent,
    KserveComponent,
    KubeflowPipelinesComponent,
    LifecycleComponent,
    MlflowComponent,
    NotebooksComponent,
    PrometheusComponent,
    SeldonCoreComponent,
    TrainerComponent,
)

ComponentName = Literal[
    "mlflow",
    "kubeflow-pipelines",
    "kserve",
    "seldon-core",
    "feast",
    "katib",
    "trainer",
    "notebooks",
    "prometheus",
    "grafana",
    "argo-workflows",
    "envoy-gateway",
    "airflow",
    "lifecycle",
]


class Components(Section):
    """The components, by the catalog's names; `config.components["mlflow"]` works as well."""

    mlflow: MlflowComponent = Field(default_factory=MlflowComponent)
    """Experiment tracking and the model registry."""
    kubeflow_pipelines: Annotated[KubeflowPipelinesComponent, Field(alias="kubeflow-pipelines")] = (
        Field(default_factory=KubeflowPipelinesComponent)
    )
    """Pipelines of training and validation."""
    kserve: KserveComponent = Field(default_factory=KserveComponent)
    """Model serving."""
    seldon_core: Annotated[SeldonCoreComponent, Field(alias="seldon-core")] = Field(
        default_factory=SeldonCoreComponent
    )
    """Model serving by Seldon Core; 1.17.1 is the last release under Apache-2.0."""
    feast: FeastComponent = Field(default_factory=FeastComponent)
    """Feature store."""
    katib: KatibComponent = Field(default_factory=KatibComponent)
    """Hyperparameter search."""
    trainer: TrainerComponent = Field(default_factory=TrainerComponent)
    """Distributed training."""
    notebooks: NotebooksComponent = Field(default_factory=NotebooksComponent)
    """Notebooks in the cluster."""
    prometheus: PrometheusComponent = Field(default_factory=PrometheusComponent)
    """Metrics and alerts."""
    grafana: GrafanaComponent = Field(default_factory=GrafanaComponent)
    """Dashboards."""
    argo_workflows: Annotated[ArgoWorkflowsComponent, Field(alias="argo-workflows")] = Field(
        default_factory=ArgoWorkflowsComponent
    )
    """Workflows: runs pipelines step by step."""
    envoy_gateway: Annotated[EnvoyGatewayComponent, Field(alias="envoy-gateway")] = Field(
        default_factory=EnvoyGatewayComponent
    )
    """Edge: TLS, host names and login in front of everything that is exposed."""
    airflow: AirflowComponent = Field(default_factory=AirflowComponent)
    """Scheduler for existing DAGs."""
    lifecycle: LifecycleComponent = Field(default_factory=LifecycleComponent)
    """Model gateway, triggers of retraining, drift and batch jobs."""

    def __getitem__(self, name: str) -> ComponentConfig:
        for found, component in self.by_name():
            if found == name:
                return component
        raise KeyError(name)

    def by_name(self) -> Iterator[tuple[str, ComponentConfig]]:
        """Pairs of the catalog's name and the section, in the order of the model."""
        for attribute, field in type(self).model_fields.items():
            yield field.alias or attribute, getattr(self, attribute)


class LicenceConfig(Section):
    """The gate that says what may be shipped."""

    policy: Literal["permissive", "commercial", "any"] = "commercial"
    """Which licences are allowed; see docs/decisions/0003-licence-gate.md."""
    accept: tuple[Text, ...] = ()
    """Accepted exceptions: components (`grafana`) or SPDX ids (`AGPL-3.0-only`)."""
