"""Feature groups: the same features for training (offline) and for serving (online)."""

from __future__ import annotations

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.sagemaker import (
    FeatureGroup,
    FeatureGroupFeatureDefinitionArgs,
    FeatureGroupOfflineStoreConfigArgsDict,
    FeatureGroupOnlineStoreConfigArgsDict,
)

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.config.aws.data import FeatureGroup as GroupConfig

TYPE = "mlops-infra:aws:Features"


class Features(pulumi.ComponentResource):
    """The groups of `aws.features`.

    The provider can add a feature only by deleting the group with all its data. So later changes
    of the list are ignored here, and `mlops_infra.aws.feature_additions` adds what is new to the
    living group after every `up`.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        role_arn: Output[str],
        opts: ResourceOptions,
        ready: list[pulumi.Resource],
    ) -> None:
        super().__init__(TYPE, "features", {}, opts)
        self._foundation, self._role_arn, self._ready = foundation, role_arn, ready
        self.groups = {
            name: self._group(name, config) for name, config in foundation.config.features.items()
        }
        self.register_outputs({})

    def _group(self, name: str, config: GroupConfig) -> FeatureGroup:
        return FeatureGroup(
            name,
            feature_group_name=self._foundation.name("feature-group", name),
            record_identifier_feature_name=config.record_identifier,
            event_time_feature_name=config.event_time,
            role_arn=self._role_arn,
            feature_definitions=[
                FeatureGroupFeatureDefinitionArgs(feature_name=f.name, feature_type=f.type)
                for f in config.features
            ],
            online_store_config=self._online(config),
            offline_store_config=self._offline(name, config),
            opts=ResourceOptions(
                parent=self,
                depends_on=self._ready,
                ignore_changes=["featureDefinitions"],
            ),
        )

    def _online(self, config: GroupConfig) -> FeatureGroupOnlineStoreConfigArgsDict | None:
        if not config.online:
            return None
        made: FeatureGroupOnlineStoreConfigArgsDict = {
            "enable_online_store": True,
            "security_config": {"kms_key_id": self._foundation.data_key},
        }
        if config.ttl_days:
            made["ttl_duration"] = {"unit": "Days", "value": config.ttl_days}
        return made

    def _offline(
        self, name: str, config: GroupConfig
    ) -> FeatureGroupOfflineStoreConfigArgsDict | None:
        if not config.offline:
            return None
        return {
            "s3_storage_config": {
                "s3_uri": self._foundation.uri("features", name),
                "kms_key_id": self._foundation.data_key,
            },
            "disable_glue_table_creation": False,
            "table_format": "Iceberg",
        }
