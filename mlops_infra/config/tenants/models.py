"""The models of a tenant: what is trained, when again, how it is watched and scored in bulk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from mlops_infra.config.language.buckets import Bucket
from mlops_infra.config.language.invalid import InvalidValueError
from mlops_infra.config.language.schedules import CronSchedule, TimeZone
from mlops_infra.config.language.section import DnsLabel, Section, ServingEngine, Text

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST_DAYS = 3_650


def _duration(text: str) -> str:
    if int(text[:-1]) * _SECONDS[text[-1]] > _LONGEST_DAYS * _SECONDS["d"]:
        raise InvalidValueError(f"'{text}' is longer than {_LONGEST_DAYS} days", "for example 30d")
    return text


Duration = Annotated[
    str,
    Field(pattern=r"^[1-9][0-9]{0,6}[smhd]$", examples=["30m"]),
    AfterValidator(_duration),
]
"""A time span: a whole number of seconds, minutes, hours or days, up to ten years."""

Clock = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["22:00"])
]
"""A time of the day."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Window(Section):
    """A time in which training may start."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = (
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
    )
    """Days on which the window opens."""
    opens: Clock = "00:00"
    """When it opens."""
    closes: Clock = "00:00"
    """When it closes; a time not after `opens` is on the next day."""


class NewData(Section):
    """Train again when objects of a bucket are new or changed."""

    bucket: Bucket | None = None
    """Bucket to watch (default: the tenant's)."""
    prefix: Annotated[str, StringConstraints(max_length=512)] = ""
    """Prefix of the keys that count."""
    settle: Duration = "1m"
    """Time without writes before data counts as complete."""
    min_objects: Annotated[int, Field(ge=1)] = 1
    """Minimum number of new or changed objects."""


class MetricDrop(Section):
    """Train again when a metric of the model has become worse."""

    source: Literal["mlflow", "prometheus"] = "mlflow"
    """mlflow: latest run that evaluated the champion; prometheus: a query."""
    metric: Text = "accuracy"
    """Name of the metric in MLflow, or a PromQL query that gives one number."""
    below: float | None = None
    """Fire below this value."""
    above: float | None = None
    """Fire above this value."""
    drop: Annotated[float, Field(gt=0)] | None = None
    """mlflow only: fire when the value is lower than at training by this amount."""


class Retrain(Section):
    """When a model is trained again. On demand is always possible."""

    cool_down: Duration = "1h"
    """Minimum time from the end of a training to the start of the next; not on demand."""
    windows: tuple[Window, ...] = ()
    """Time windows for starting a training (default: any time); events wait for a window."""
    timezone: TimeZone = "UTC"
    """Time zone of `schedule` and `windows`, for example `Asia/Seoul`."""
    schedule: CronSchedule | None = None
    """Fire at these times."""
    new_data: NewData | None = None
    """Fire on new data."""
    metric_drop: MetricDrop | None = None
    """Fire on a worse metric."""
    drift: bool = False
    """Fire when the drift job finds drift, or Alertmanager sends its alert."""


class Drift(Section):
    """Compares the inputs of production with the data that the model was trained on."""

    schedule: CronSchedule = "*/30 * * * *"
    """Schedule of the job."""
    window: Duration = "1d"
    """Period of logged requests to compare."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of drifted columns that counts as drift of the model."""
    min_rows: Annotated[int, Field(ge=10)] = 50
    """Minimum number of logged requests."""


class Batch(Section):
    """Scores a table or a folder of a bucket with the champion on a schedule."""

    schedule: CronSchedule = "0 1 * * *"
    """Schedule of the job."""
    source: Annotated[str, Field(pattern=r"^(s3|sql)://\S+$")]
    """`s3://bucket/prefix` with one file (.csv, .parquet) or folder a partition, `sql://table`."""
    key: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Columns that identify a row."""
    partition_column: Text | None = None
    """Partition column of a table (default: the whole table is one partition)."""
    chunk_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Rows per write."""


class ModelConfig(Section):
    """One model of a tenant."""

    pipeline: DnsLabel = "tabular-classification"
    """Pipeline that trains it."""
    parameters: dict[Text, Text] = Field(default_factory=dict)
    """Parameters of the pipeline that differ from its defaults."""
    serving: ServingEngine | None = None
    """Component that serves it (default: that of the stack)."""
    retrain: Retrain = Field(default_factory=Retrain)
    """When it is retrained."""
    drift: Drift | None = None
    """How its inputs are monitored."""
    batch: dict[DnsLabel, Batch] = Field(default_factory=dict)
    """Batch scoring jobs, by name."""
