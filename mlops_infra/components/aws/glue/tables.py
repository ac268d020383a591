"""Tables as Hive describes them: how files are read, and which columns they have."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_aws.glue import (
    CatalogTablePartitionKeyArgs,
    CatalogTableStorageDescriptorArgs,
    CatalogTableStorageDescriptorColumnArgs,
    CatalogTableStorageDescriptorSerDeInfoArgs,
)

from mlops_infra.config.aws.data import Table

_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
FORMATS: Mapping[str, tuple[str, str, str, Mapping[str, str]]] = {
    "parquet": (
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        f"{_PARQUET}.serde.ParquetHiveSerDe",
        {"serialization.format": "1"},
    ),
    # OpenCSVSerde would read every column as text
    "csv": (
        _TEXT_IN,
        _TEXT_OUT,
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        {"field.delim": ",", "skip.header.line.count": "1"},
    ),
    "json": (_TEXT_IN, _TEXT_OUT, "org.openx.data.jsonserde.JsonSerDe", {"paths": ""}),
}
"""Form of the files to input format, output format, serializer and its parameters."""


def storage(config: Table, location: str) -> CatalogTableStorageDescriptorArgs:
    """How the table's files are read."""
    reads, writes, serializer, parameters = FORMATS[config.format]
    return CatalogTableStorageDescriptorArgs(
        location=location + "/",
        input_format=reads,
        output_format=writes,
        ser_de_info=CatalogTableStorageDescriptorSerDeInfoArgs(
            name=config.format, serialization_library=serializer, parameters=dict(parameters)
        ),
        columns=[
            CatalogTableStorageDescriptorColumnArgs(name=name, type=kind)
            for name, kind in config.columns.items()
            if name not in config.partitions
        ],
    )


def partition_keys(columns: Mapping[str, str]) -> list[CatalogTablePartitionKeyArgs] | None:
    """The columns that are folders; None where there are none."""
    keys = [CatalogTablePartitionKeyArgs(name=name, type=kind) for name, kind in columns.items()]
    return keys or None
