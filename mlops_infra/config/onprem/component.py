"""What every component has, and one section for each component with its own settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mlops_infra.config.language.section import HttpUrl, Name, Section, State
from mlops_infra.config.onprem.settings.airflow import AirflowSettings
from mlops_infra.config.onprem.settings.argo_workflows import ArgoWorkflowsSettings
from mlops_infra.config.onprem.settings.envoy_gateway import EnvoyGatewaySettings
from mlops_infra.config.onprem.settings.feast import FeastSettings
from mlops_infra.config.onprem.settings.grafana import GrafanaSettings
from mlops_infra.config.onprem.settings.katib import KatibSettings
from mlops_infra.config.onprem.settings.kserve import KserveSettings
from mlops_infra.config.onprem.settings.kubeflow_pipelines import KubeflowPipelinesSettings
from mlops_infra.config.onprem.settings.lifecycle import LifecycleSettings
from mlops_infra.config.onprem.settings.mlflow import MlflowSettings
from mlops_infra.config.onprem.settings.notebooks import NotebooksSettings
from mlops_infra.config.onprem.settings.prometheus import PrometheusSettings
from mlops_infra.config.onprem.settings.seldon_core import SeldonCoreSettings
from mlops_infra.config.onprem.settings.trainer import TrainerSettings

Version = Annotated[str, Field(pattern=r"^v?[0-9]+(\.[0-9]+){0,3}([-+.][0-9A-Za-z.-]+)?$")]
"""A version as upstream writes it."""


class ComponentConfig(Section):
    """What every component has; removed unless the file says otherwise."""

    state: State = "removed"
    """managed: deployed here; external: an existing service; removed: none."""
    version: Version | None = None
    """Version other than the catalogue's; its licence is checked."""
    endpoint: HttpUrl | None = None
    """External only: URL of the service."""
    secret: Name | None = None
    """External only: name under `secrets` with the keys username and password."""
    settings: Section = Field(default_factory=Section)
    """Settings of this component."""


class MlflowComponent(ComponentConfig):
    """MLflow, the one component that is there unless it is taken out."""

    state: State = "managed"
    """managed: deployed here; external: an existing service; removed: none."""
    settings: MlflowSettings = Field(default_factory=MlflowSettings)
    """Settings of this component."""


class KubeflowPipelinesComponent(ComponentConfig):
    """Kubeflow Pipelines."""

    settings: KubeflowPipelinesSettings = Field(default_factory=KubeflowPipelinesSettings)
    """Settings of this component."""


class KserveComponent(ComponentConfig):
    """KServe."""

    settings: KserveSettings = Field(default_factory=KserveSettings)
    """Settings of this component."""


class SeldonCoreComponent(ComponentConfig):
    """Seldon Core."""

    settings: SeldonCoreSettings = Field(default_factory=SeldonCoreSettings)
    """Settings of this component."""


class FeastComponent(ComponentConfig):
    """Feast."""

    settings: FeastSettings = Field(default_factory=FeastSettings)
    """Settings of this component."""


class KatibComponent(ComponentConfig):
    """Katib."""

    settings: KatibSettings = Field(default_factory=KatibSettings)
    """Settings of this component."""


class TrainerComponent(ComponentConfig):
    """Kubeflow Trainer."""

    settings: TrainerSettings = Field(default_factory=TrainerSettings)
    """Settings of this component."""


class NotebooksComponent(ComponentConfig):
    """Notebooks."""

    settings: NotebooksSettings = Field(default_factory=NotebooksSettings)
    """Settings of this component."""


class PrometheusComponent(ComponentConfig):
    """Prometheus and Alertmanager."""

    settings: PrometheusSettings = Field(default_factory=PrometheusSettings)
    """Settings of this component."""


class GrafanaComponent(ComponentConfig):
    """Grafana."""

    settings: GrafanaSettings = Field(default_factory=GrafanaSettings)
    """Settings of this component."""


class ArgoWorkflowsComponent(ComponentConfig):
    """Argo Workflows."""

    settings: ArgoWorkflowsSettings = Field(default_factory=ArgoWorkflowsSettings)
    """Settings of this component."""


class EnvoyGatewayComponent(ComponentConfig):
    """Envoy Gateway."""

    settings: EnvoyGatewaySettings = Field(default_factory=EnvoyGatewaySettings)
    """Settings of this component."""


class AirflowComponent(ComponentConfig):
    """Apache Airflow."""

    settings: AirflowSettings = Field(default_factory=AirflowSettings)
    """Settings of this component."""


class LifecycleComponent(ComponentConfig):
    """Model gateway, triggers, drift and batch jobs."""

    settings: LifecycleSettings = Field(default_factory=LifecycleSettings)
    """Settings of this component."""
