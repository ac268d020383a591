"""What the user asks for: one typed configuration per stack. Pure but for reading one file.

`load` reads `stacks/Pulumi.<stack>.yaml` and reports all of its mistakes at once; `parse` and
`parse_pulumi` do the same with values that the Pulumi program has already. `effective` shows what
holds, `json_schema` serves editors and `pulumi_schema` serves `Pulumi.yaml`.
"""

from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.config.editing import with_removal, without_tenant
from mlops_infra.config.effective import effective
from mlops_infra.config.language.document import Origin
from mlops_infra.config.language.section import Policy, Profile, State
from mlops_infra.config.loading import NAMESPACE, load, parse, parse_pulumi, stack_file
from mlops_infra.config.onprem.component import ComponentConfig, MlflowComponent
from mlops_infra.config.onprem.components import Components, LicenceConfig
from mlops_infra.config.onprem.settings.mlflow import MlflowSettings
from mlops_infra.config.onprem.stores import (
    KeyValueStore,
    ObjectStore,
    SecretReference,
    SqlStore,
    Stores,
)
from mlops_infra.config.platform import (
    BackendConfig,
    ClusterConfig,
    ImageSources,
    NetworkConfig,
    ProxyConfig,
)
from mlops_infra.config.schema import json_schema, pulumi_schema
from mlops_infra.config.stack import StackConfig
from mlops_infra.config.tenants.tenant import Quota, Tenant

__all__ = [
    "NAMESPACE",
    "AwsConfig",
    "BackendConfig",
    "ClusterConfig",
    "ComponentConfig",
    "Components",
    "ImageSources",
    "KeyValueStore",
    "LicenceConfig",
    "MlflowComponent",
    "MlflowSettings",
    "NetworkConfig",
    "ObjectStore",
    "Origin",
    "Policy",
    "Profile",
    "ProxyConfig",
    "Quota",
    "SecretReference",
    "SqlStore",
    "StackConfig",
    "State",
    "Stores",
    "Tenant",
    "effective",
    "json_schema",
    "load",
    "parse",
    "parse_pulumi",
    "pulumi_schema",
    "stack_file",
    "with_removal",
    "without_tenant",
]
