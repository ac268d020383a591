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
    """aws: SageMaker and related services; onprem: any Kubernetes."""
    environment: DnsLabel
    """Name of the environment: dev, staging, prod."""
    cluster: ClusterConfig = Field(default_factory=ClusterConfig)
    """onprem: the Kubernetes cluster."""
    aws: AwsConfig | None = None
    """aws: account, network, data, models."""
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    """Network access."""
    components: Components = Field(default_factory=Components)
    """onprem: components on the cluster."""
    stores: Stores = Field(default_factory=Stores)
    """onprem: data stores."""
    tenants: dict[TenantName, Tenant] = Field(default_factory=dict)
    """Teams by name."""
    secrets: dict[Name, Secret] = Field(default_factory=dict)
    """References to secret values, never the values."""
    licence: LicenceConfig = Field(default_factory=LicenceConfig)
    """Licence gate."""
    policy: Policy = "dev"
    """Strictness of the rules."""
    protect: bool = False
    """Protect stateful resources from deletion and replacement; true unless policy is dev."""
    allow_replace: tuple[
        Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[A-Za-z]+/[a-z0-9._/-]+)?$")], ...
    ] = ()
    """Stateful resources that may be replaced anyway: `postgresql` or `postgresql/Kind/name`."""
    allow_removal: tuple[
        Annotated[
            str,
            Field(pattern=r"^((tenant|component|quota|endpoint)/[a-z0-9-]+|environment)$"),
        ],
        ...,
    ] = ()
    """What `up` may take from people: `tenant/NAME`, `component/NAME`, `quota/TENANT` (a smaller
    quota than is used), `endpoint/NAME` (aws), `environment` (another name)."""
    backend: BackendConfig = Field(default_factory=BackendConfig)
    """Pulumi state."""

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
