"""Athena: one workgroup with limits that nobody can step around, and saved queries."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.athena import (
    NamedQuery,
    Workgroup,
    WorkgroupConfigurationArgs,
    WorkgroupConfigurationEngineVersionArgs,
    WorkgroupConfigurationResultConfigurationArgs,
    WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs,
)

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.glue.catalogue import Catalogue

TYPE = "mlops-infra:aws:Athena"


class Athena(pulumi.ComponentResource):
    """`workgroup`: where everybody queries."""

    def __init__(self, foundation: Foundation, catalogue: Catalogue) -> None:
        super().__init__(TYPE, "athena", {}, ResourceOptions(parent=foundation.parent))
        config = foundation.config.athena
        encryption = WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
            encryption_option="SSE_KMS", kms_key_arn=foundation.data_key
        )
        self.workgroup = Workgroup(
            "workgroup",
            name=foundation.name("workgroup", "lake"),
            description=f"Queries of {foundation.names.stack}",
            state="ENABLED",
            # a workgroup with saved queries cannot be deleted otherwise; queries are in the state
            force_destroy=True,
            configuration=WorkgroupConfigurationArgs(
                bytes_scanned_cutoff_per_query=config.scan_limit_bytes,
                enforce_workgroup_configuration=True,
                publish_cloudwatch_metrics_enabled=True,
                engine_version=WorkgroupConfigurationEngineVersionArgs(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=WorkgroupConfigurationResultConfigurationArgs(
                    output_location=foundation.uri("results", "athena") + "/",
                    encryption_configuration=encryption,
                ),
            ),
            opts=ResourceOptions(parent=self, depends_on=list(foundation.ready)),
        )
        for name, query in config.queries.items():
            NamedQuery(
                name,
                name=name,
                workgroup=self.workgroup.name,
                database=catalogue.database.name,
                description=query.description or None,
                query=query.sql,
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})


def build_athena(foundation: Foundation, catalogue: Catalogue) -> Athena:
    """Declare the workgroup and its queries."""
    return Athena(foundation, catalogue)
