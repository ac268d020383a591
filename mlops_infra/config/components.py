"""The components a stack may hold, each with its own settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from mlops_infra.config.base import HttpUrl, Name, Section, State, Text

Version = Annotated[str, Field(pattern=r"^v?[0-9]+(\.[0-9]+){0,3}([-+.][0-9A-Za-z.-]+)?$")]
"""A version as upstream writes it."""


class NoSettings(Section):
    """A component without settings of its own."""


class MlflowSettings(Section):
    """Settings of the tracking server."""

    workers: Annotated[int, Field(ge=1, le=16)] = 1
    """Server processes; each takes about 250 MB."""
    auth: bool = False
    """Ask for a user name and a password (MLflow's basic auth)."""
    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9.*:\[\]_-]+$")], ...] = ()
    """Further host names that clients use, beside the Service's names and the node's address."""
    artifact_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = (
        "artifacts"
    )
    """Folder of the bucket that artefacts go to."""


class ComponentConfig(Section):
    """What every component has; removed unless the file says otherwise."""

    state: State = "removed"
    """managed: deployed here; external: someone else runs it; removed: there is none."""
    version: Version | None = None
    """Only where another version than the catalog's is wanted and its licence is to be checked."""
    endpoint: HttpUrl | None = None
    """External only: URL of the service."""
    secret: Name | None = None
    """External only: the name under `secrets` with the keys username and password."""
    settings: NoSettings = Field(default_factory=NoSettings)
    """What only this component understands."""


class MlflowComponent(ComponentConfig):
    """MLflow, the one component that is there unless it is taken out."""

    state: State = "managed"
    """managed: deployed here; external: someone else runs it; removed: there is none."""
    settings: MlflowSettings = Field(default_factory=MlflowSettings)  # type: ignore[assignment]
    """What only MLflow understands."""


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
]


class Components(Section):
    """The components, by the catalog's names; `config.components["mlflow"]` works as well."""

    mlflow: MlflowComponent = Field(default_factory=MlflowComponent)
    """Experiment tracking and the model registry."""
    kubeflow_pipelines: Annotated[ComponentConfig, Field(alias="kubeflow-pipelines")] = Field(
        default_factory=ComponentConfig
    )
    """Pipelines of training and validation."""
    kserve: ComponentConfig = Field(default_factory=ComponentConfig)
    """Model serving."""
    seldon_core: Annotated[ComponentConfig, Field(alias="seldon-core")] = Field(
        default_factory=ComponentConfig
    )
    """Model serving, an explicit choice: 1.17.1 is the last release under Apache-2.0."""
    feast: ComponentConfig = Field(default_factory=ComponentConfig)
    """Feature store."""
    katib: ComponentConfig = Field(default_factory=ComponentConfig)
    """Search for hyperparameters."""
    trainer: ComponentConfig = Field(default_factory=ComponentConfig)
    """Distributed training."""
    notebooks: ComponentConfig = Field(default_factory=ComponentConfig)
    """Notebooks in the cluster."""
    prometheus: ComponentConfig = Field(default_factory=ComponentConfig)
    """Metrics and alerts."""
    grafana: ComponentConfig = Field(default_factory=ComponentConfig)
    """Dashboards."""

    def __getitem__(self, name: str) -> ComponentConfig:
        for found, component in self.by_name():
            if found == name:
                return component
        raise KeyError(name)

    def by_name(self) -> Iterator[tuple[str, ComponentConfig]]:
        """Pairs of the catalog's name and the section, in the order of the model."""
        for attribute, field in type(self).model_fields.items():
            yield field.alias or attribute, getattr(self, attribute)


class Quota(Section):
    """Upper bounds of one tenant."""

    cpu: Annotated[str, Field(pattern=r"^[0-9]+m?$")] | None = None
    """Cores, for example `8` or `500m`."""
    memory: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi|Ti)$")] | None = None
    """Memory, for example `32Gi`."""
    gpu: Annotated[int, Field(ge=0)] | None = None
    """Whole GPUs."""
    storage: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi|Ti)$")] | None = None
    """Sum of all volumes."""


class Tenant(Section):
    """A team with its own namespace."""

    owner: Text | None = None
    """Who answers for it: a person or a group as the site's login system writes it."""
    members: tuple[Text, ...] = ()
    """Who may work in it."""
    quota: Quota = Field(default_factory=Quota)
    """Upper bounds."""


class LicenceConfig(Section):
    """The gate that says what may be shipped."""

    policy: Literal["permissive", "commercial", "any"] = "commercial"
    """What passes; see docs/decisions/0003-licence-gate.md."""
    accept: tuple[Text, ...] = ()
    """Components (`grafana`) or SPDX ids (`AGPL-3.0-only`) that the owner has decided to take."""
