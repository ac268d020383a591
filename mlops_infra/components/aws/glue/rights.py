"""Lake Formation: rights on the database beside those of IAM."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.lakeformation import DataLakeSettings, Permissions, Resource

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.glue.catalogue import Catalogue
from mlops_infra.config.aws.data import LakeFormation

TYPE = "mlops-infra:aws:Rights"


class Rights(pulumi.ComponentResource):
    """Admins, the curated zone as a governed place, and readers of every table."""

    def __init__(self, foundation: Foundation, config: LakeFormation, catalogue: Catalogue) -> None:
        super().__init__(TYPE, "rights", {}, ResourceOptions(parent=foundation.parent))
        settings = DataLakeSettings(
            "lake",
            admins=list(config.admins),
            # nobody gets everything by default on what is made from now on
            create_database_default_permissions=[],
            create_table_default_permissions=[],
            opts=ResourceOptions(parent=self),
        )
        after = ResourceOptions(parent=self, depends_on=[settings, *foundation.ready])
        place = Resource(
            "curated",
            arn=foundation.bucket_arn("curated"),
            role_arn=catalogue.role_arn,
            opts=after,
        )
        after = ResourceOptions(parent=self, depends_on=[place])
        Permissions(
            "glue",
            principal=catalogue.role_arn,
            permissions=["ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"],
            database={"name": catalogue.database.name},
            opts=after,
        )
        for index, reader in enumerate(config.readers):
            Permissions(
                f"reader-{index}",
                principal=reader,
                permissions=["DESCRIBE", "SELECT"],
                table={"database_name": catalogue.database.name, "wildcard": True},
                opts=after,
            )
        self.register_outputs({})


def build_rights(foundation: Foundation, catalogue: Catalogue) -> Rights | None:
    """Declare rights; nothing where IAM alone decides."""
    config = foundation.config.glue.lake_formation
    return Rights(foundation, config, catalogue) if config else None
