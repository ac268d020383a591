"""The whole configuration of one stack."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PrivateAttr

from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.config.language.document import Origin
from mlops_infra.config.language.section import DnsLabel, Name, Policy, Profile, Section
from mlops_infra.config.onprem.components import Components, LicenceConfig
from mlops_infra.config.onprem.stores import Secret, Stores
from mlops_infra.config.platform import BackendConfig, ClusterConfig, NetworkConfig
from mlops_infra.config.tenants.tenant import Tenant, TenantName


class StackConfig(Section):
    """What the user asks for, in one file per environment."""

    profile: Profile
    """aws: SageMaker and its neighbours; onprem: any Kubernetes."""
    environment: DnsLabel
    """What people call it: dev, staging, prod."""
    cluster: ClusterConfig = Field(default_factory=ClusterConfig)
    """onprem: the Kubernetes cluster."""
    aws: AwsConfig | None = None
    """aws: account, network, data, models."""
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    """What can be reached, and through what."""
    components: Components = Field(default_factory=Components)
    """onprem: what runs on the cluster."""
    stores: Stores = Field(default_factory=Stores)
    """onprem: where data is kept."""
    tenants: dict[TenantName, Tenant] = Field(default_factory=dict)
    """Teams by name."""
    secrets: dict[Name, Secret] = Field(default_factory=dict)
    """References to secret values, never the values."""
    licence: LicenceConfig = Field(default_factory=LicenceConfig)
    """What may be deployed and shipped."""
    policy: Policy = "dev"
    """How strict the guard rails are."""
    protect: bool = False
    """Stateful things cannot be deleted or replaced; true unless policy is dev."""
    allow_replace: tuple[
        Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[A-Za-z]+/[a-z0-9._/-]+)?$")], ...
    ] = ()
    """Stateful things that may be replaced all the same: `postgresql` or `postgresql/Kind/name`."""
    backend: BackendConfig = Field(default_factory=BackendConfig)
    """Where the state is."""

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def origin(self) -> Origin:
        """The file and the lines that the values came from."""
        return self._origin

    def with_origin(self, origin: Origin) -> StackConfig:
        """The same configuration that knows where it came from."""
        copy = self.model_copy()
        copy._origin = origin
        return copy
