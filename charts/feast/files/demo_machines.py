"""An example: what 200 machines measured, to tell which will fail."""

from datetime import timedelta

from feast import Entity, FeatureView, Field
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
    PostgreSQLSource,
)
from feast.types import Float64, Int64
from feast.value_type import ValueType

machine = Entity(name="machine", join_keys=["machine_id"], value_type=ValueType.INT64)

demo_machines = FeatureView(
    name="demo_machines",
    entities=[machine],
    ttl=timedelta(days=365),
    schema=[
        Field(name="temperature", dtype=Float64),
        Field(name="vibration", dtype=Float64),
        Field(name="pressure", dtype=Float64),
        Field(name="hours", dtype=Int64),
        Field(name="fault", dtype=Int64),
    ],
    source=PostgreSQLSource(
        name="demo_machines_source",
        table="demo_machines",
        timestamp_field="event_timestamp",
        created_timestamp_column="created",
    ),
    # what a model shall tell, and must not be given
    tags={"labels": "fault"},
    online=True,
)
