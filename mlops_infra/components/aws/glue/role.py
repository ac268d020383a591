"""What Glue's crawlers and jobs may do."""

from __future__ import annotations

import pulumi
from pulumi_aws.iam import Role, RolePolicy

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import (
    RoleSpec,
    Statement,
    read_objects,
    use_key,
    write_logs,
    write_objects,
)

GLUE_LOGS = ("/aws-glue/crawlers", "/aws-glue/jobs", "/aws-glue/data-quality")
"""Groups that Glue chooses itself; with a security configuration it puts its name and the role's
behind."""


def catalogue_role(foundation: Foundation, *, parent: pulumi.Resource) -> tuple[Role, RolePolicy]:
    """The one role of crawlers and jobs, and its policy."""
    names = foundation.names
    buckets = {role: foundation.bucket_arn(role) for role in ("raw", "curated", "artifacts")}
    groups = [names.arn("logs", f"log-group:{group}*") for group in GLUE_LOGS]
    spec = RoleSpec(
        "glue",
        "glue",
        (
            *read_objects("Raw", buckets["raw"]),
            *write_objects("Curated", buckets["curated"], buckets["artifacts"]),
            use_key("Keys", foundation.data_key, foundation.logs_key),
            Statement(
                "Catalogue",
                _CATALOGUE,
                tuple(catalogue_arns(foundation)),
            ),
            Statement(
                "Logs",
                ("logs:CreateLogGroup", "logs:AssociateKmsKey", "logs:PutRetentionPolicy"),
                tuple(f"{group}:*" for group in groups),
            ),
            write_logs("LogStreams", *groups),
            Statement(
                "Metrics",
                ("cloudwatch:PutMetricData",),
                ("*",),
                {"StringEquals": {"cloudwatch:namespace": "Glue"}},
            ),
        ),
    )
    return foundation.role_with_policy(spec, parent=parent)


def catalogue_arns(foundation: Foundation) -> list[str]:
    """The database, its tables, and the catalogue that both are in."""
    names = foundation.names
    database = names.of("database", foundation.config.glue.database)
    return [
        names.arn("glue", "catalog"),
        names.arn("glue", f"database/{database}"),
        names.arn("glue", f"table/{database}/*"),
    ]


_CATALOGUE = (
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
    "glue:BatchGetPartition",
    "glue:BatchUpdatePartition",
    "glue:CreatePartition",
    "glue:CreateTable",
    "glue:GetDatabase",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
    "glue:UpdatePartition",
    "glue:UpdateTable",
)
