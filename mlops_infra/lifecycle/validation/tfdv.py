"""TensorFlow Data Validation as a validator: heavy, so only where a site installs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from mlops_infra.lifecycle.validation.check import check
from mlops_infra.lifecycle.validation.findings import Finding, Report
from mlops_infra.lifecycle.validation.schema import ColumnSchema, TableSchema

if TYPE_CHECKING:
    import pandas as pd

_OURS = ("rows", "unique", "freshness", "unknown-column")
"""Rules that TFDV's statistics of a single table cannot tell; our own check does."""


class Tfdv:
    """Statistics, types, domains and presence by TFDV; what it has no word for by our own check."""

    def check(self, table: pd.DataFrame, schema: TableSchema) -> Report:
        """Every rule that `table` breaks; rows are the share that TFDV tells, times the rows."""
        statistics = tfdv.generate_statistics_from_dataframe(table)
        anomalies = tfdv.validate_statistics(statistics, schema=_proto(schema))
        found = [
            Finding("foreign", name or None, 0, f"{info.short_description}: {info.description}")
            for name, info in anomalies.anomaly_info.items()
        ]
        found += [each for each in check(table, schema).findings if each.rule in _OURS]
        return Report("tfdv", len(table), len(table.columns), tuple(found))


def _proto(schema: TableSchema) -> Any:
    proto = schema_pb2.Schema()
    for column in schema.columns:
        _feature(proto.feature.add(), column)
    return proto


def _feature(feature: Any, column: ColumnSchema) -> None:
    feature.name = column.name
    feature.shape.dim.add().size = 1
    feature.presence.min_fraction = (1.0 - column.max_null_share) if column.required else 0.0
    feature.presence.min_count = 1 if column.required else 0
    if column.categories is not None:
        feature.type = schema_pb2.BYTES
        feature.string_domain.value.extend(column.categories)
        return
    kinds = {"integer": schema_pb2.INT, "boolean": schema_pb2.INT, "number": schema_pb2.FLOAT}
    feature.type = kinds.get(column.kind, schema_pb2.BYTES)
    if column.kind == "number":
        _bounds(feature.float_domain, column, float)
    elif column.kind == "integer":
        _bounds(feature.int_domain, column, int)


def _bounds(domain: Any, column: ColumnSchema, cast: type[float | int]) -> None:
    if column.minimum is not None:
        domain.min = cast(column.minimum)
    if column.maximum is not None:
        domain.max = cast(column.maximum)
