"""QuickSight: a data source over Athena, and one data set a table."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.quicksight import DataSet, DataSource

from mlops_infra.components.aws.athena import Athena
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.glue.catalogue import Catalogue
from mlops_infra.config.aws.data import Table
from mlops_infra.config.aws.reports import QuickSightConfig

TYPE = "mlops-infra:aws:Reports"
SOURCE_RIGHTS = (
    "quicksight:DescribeDataSource",
    "quicksight:DescribeDataSourcePermissions",
    "quicksight:PassDataSource",
    "quicksight:UpdateDataSource",
    "quicksight:UpdateDataSourcePermissions",
    "quicksight:DeleteDataSource",
)
SET_RIGHTS = (
    "quicksight:CancelIngestion",
    "quicksight:CreateIngestion",
    "quicksight:DeleteDataSet",
    "quicksight:DescribeDataSet",
    "quicksight:DescribeDataSetPermissions",
    "quicksight:DescribeIngestion",
    "quicksight:ListIngestions",
    "quicksight:PassDataSet",
    "quicksight:UpdateDataSet",
    "quicksight:UpdateDataSetPermissions",
)
"""Sets of rights that QuickSight's API takes as a whole only."""
_TYPES = {"boolean": "BIT", "date": "DATETIME", "timestamp": "DATETIME", "string": "STRING"}
_WHOLE = ("tinyint", "smallint", "int", "bigint")


class Reports(pulumi.ComponentResource):
    """Source and sets of `aws.quicksight`."""

    def __init__(
        self,
        foundation: Foundation,
        config: QuickSightConfig,
        catalogue: Catalogue,
        athena: Athena,
    ) -> None:
        super().__init__(TYPE, "reports", {}, ResourceOptions(parent=foundation.parent))
        below = ResourceOptions(parent=self)
        source = DataSource(
            "lake",
            data_source_id=foundation.name("quicksight", "lake"),
            name=f"Lake of {foundation.names.stack}",
            type="ATHENA",
            parameters={"athena": {"work_group": athena.workgroup.name}},
            ssl_properties={"disable_ssl": False},
            permissions=[
                {"principal": owner, "actions": list(SOURCE_RIGHTS)} for owner in config.owners
            ],
            opts=below,
        )
        for name in config.tables:
            table = foundation.config.glue.tables[name]
            relation: Any = {
                "catalog": "AwsDataCatalog",
                "schema": catalogue.database.name,
                "name": catalogue.tables[name].name,
                "data_source_arn": source.arn,
                "input_columns": columns(table),
            }
            DataSet(
                name,
                data_set_id=foundation.name("quicksight", name),
                name=name,
                import_mode="DIRECT_QUERY",
                physical_table_maps=[
                    {
                        "physical_table_map_id": name.replace("_", "-"),
                        "relational_table": relation,
                    }
                ],
                permissions=[
                    {"principal": owner, "actions": list(SET_RIGHTS)} for owner in config.owners
                ],
                opts=below,
            )
        self.register_outputs({})


def columns(table: Table) -> list[dict[str, str]]:
    """Columns as QuickSight names their types; nested ones are text there."""
    every = {**table.columns, **table.partitions}
    return [{"name": name, "type": kind_of(kind)} for name, kind in every.items()]


def kind_of(kind: str) -> str:
    """QuickSight's word for a type of Athena."""
    if kind in _WHOLE:
        return "INTEGER"
    if kind in ("float", "double") or kind.startswith("decimal"):
        return "DECIMAL"
    return _TYPES.get(kind, "STRING")


def build_reports(foundation: Foundation, catalogue: Catalogue, athena: Athena) -> Reports | None:
    """Declare source and sets; nothing where the configuration has none."""
    config = foundation.config.quicksight
    return Reports(foundation, config, catalogue, athena) if config else None
