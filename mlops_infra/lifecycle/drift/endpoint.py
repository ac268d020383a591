"""One look at what a SageMaker endpoint is asked: compare, judge, keep the report, tell CloudWatch.

AWS closed SageMaker Model Monitor to new customers; this does its work for data quality and needs
nothing but S3 and CloudWatch.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_infra.aws import Cloud
from mlops_infra.errors import InputError
from mlops_infra.lifecycle.drift import captured, documents
from mlops_infra.lifecycle.drift.compare import ColumnDrift, compare
from mlops_infra.progress import Sink, step

if TYPE_CHECKING:
    import pandas as pd

NAMESPACE = "mlops-infra/monitors"
LARGEST, BROKEN, ROWS = "largest_drift", "broken_rules", "rows"
"""Metrics beside `drift_COLUMN`."""
CHANCE = 0.001
"""A distance that requests as good as the training data would show as rarely as this counts; looks
come every hour, and a small sample is never quite like a large one."""
_AT_ONCE = 500
"""Metrics that one call takes; CloudWatch allows 1000."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is compared, when it counts as drift, where it is told. Places are `s3://` URLs."""

    monitor: str
    endpoint: str
    captures: str
    """Folder that SageMaker records in, without the endpoint's name."""
    baseline: str
    """Folder of statistics.json and constraints.json."""
    report: str
    variants: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Only these raise the alarm; all where empty."""
    threshold: float = 0.1
    window: datetime.timedelta = datetime.timedelta(hours=24)
    min_rows: int = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    monitor: str
    endpoint: str
    at: str
    rows: int
    unreadable: int
    judged: bool
    """False where there were too few requests to say anything."""
    largest: float
    """Of the watched columns."""
    columns: tuple[ColumnDrift, ...]
    broken: tuple[str, ...]
    """Rules of the baseline that the requests break."""
    report: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def look(watch: Watch, cloud: Cloud, sink: Sink, *, now: datetime.datetime | None = None) -> Seen:
    """Compare the requests of the window with the baseline.

    Raises:
        InputError: there is no baseline, or it shares no column with the requests.
        MlopsError: see `Cloud.call`.
    """
    at = now or datetime.datetime.now(datetime.UTC)
    with step(sink, f"Examining requests to {watch.endpoint}") as work:
        statistics = _document(cloud, watch, "statistics.json")
        constraints = _document(cloud, watch, "constraints.json")
        wanted = documents.kinds(statistics)
        found = captured.read(_files(cloud, watch, at), tuple(wanted))
        seen = Seen(
            watch.monitor, watch.endpoint, at.isoformat(), len(found.frame), found.unreadable,
            judged=False, largest=0.0, columns=(), broken=(),
        )  # fmt: skip
        if len(found.frame) >= watch.min_rows:
            columns, html = _compared(watch, documents.typed(found.frame, wanted), statistics)
            broken = documents.broken(found.frame, wanted, constraints)
            seen = _judged(watch, seen, columns, broken)
            _keep(cloud, seen, html)
        _tell(cloud, watch, seen)
        work.end("done" if seen.judged else "skipped", _said(watch, seen))
    return seen


def _compared(
    watch: Watch, current: pd.DataFrame, statistics: Mapping[str, Any]
) -> tuple[tuple[ColumnDrift, ...], bytes]:
    """The distance of each column, 0 where chance alone may have made it; and a page."""
    reference = documents.reference(statistics)
    distances = compare(current, reference, few=False, limit=watch.threshold)
    tests = compare(current, reference, few=True, limit=CHANCE)
    certain = {each.name for each in tests.columns if each.drifted}
    columns = tuple(
        each if each.name in certain else replace(each, score=0.0, drifted=False)
        for each in distances.columns
    )
    return columns, distances.html


def _judged(
    watch: Watch, seen: Seen, columns: tuple[ColumnDrift, ...], broken: Sequence[str]
) -> Seen:
    watched = [each.score for each in columns if each.name in (watch.columns or (each.name,))]
    stamp = datetime.datetime.fromisoformat(seen.at).strftime("%Y/%m/%d/%H%M%SZ")
    return replace(
        seen,
        judged=True,
        largest=max(watched, default=0.0),
        columns=columns,
        broken=tuple(broken),
        report=f"{watch.report.rstrip('/')}/{stamp}",
    )


def _said(watch: Watch, seen: Seen) -> str:
    if not seen.judged:
        return f"{seen.rows} recorded rows, {watch.min_rows} are needed"
    what = "drift" if seen.largest >= watch.threshold else "no drift"
    return f"{what}: {seen.largest:.3f} at most, {len(seen.broken)} broken rules, {seen.rows} rows"


def _files(cloud: Cloud, watch: Watch, at: datetime.datetime) -> Iterator[bytes]:
    """Files of the window, newest hour first."""
    bucket, folder = place(watch.captures)
    hours = int(watch.window / datetime.timedelta(hours=1))
    for back in range(hours + 1):
        hour = at - datetime.timedelta(hours=back)
        for variant in watch.variants:
            prefix = f"{folder}/{watch.endpoint}/{variant}/{hour:%Y/%m/%d/%H}/"
            for each in cloud.pages(
                "s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix
            ):
                yield _body(cloud, bucket, each["Key"])


def _document(cloud: Cloud, watch: Watch, name: str) -> dict[str, Any]:
    bucket, folder = place(watch.baseline)
    where = f"s3://{bucket}/{folder}/{name}"
    answer = cloud.find("s3", "get_object", Bucket=bucket, Key=f"{folder}/{name}")
    if answer is None:
        raise InputError(
            f"no {name} to compare with",
            where=where,
            hint="the pipeline creates one when a model meets its threshold",
        )
    try:
        read: dict[str, Any] = json.loads(answer["Body"].read())
    except ValueError as error:
        raise InputError(f"{name} is not valid JSON: {error}", where=where) from error
    return read


def _body(cloud: Cloud, bucket: str, key: str) -> bytes:
    found: bytes = cloud.call("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
    return found


def _keep(cloud: Cloud, seen: Seen, html: bytes) -> None:
    bucket, key = place(seen.report or "")
    told = json.dumps(seen.as_dict(), indent=2).encode()
    for suffix, body in ((".html", html), (".json", told)):
        cloud.call("s3", "put_object", Bucket=bucket, Key=key + suffix, Body=body)


def _tell(cloud: Cloud, watch: Watch, seen: Seen) -> None:
    """Metrics, which alarms watch; of too few requests only their number."""
    values = {ROWS: float(seen.rows)}
    if seen.judged:
        values |= {LARGEST: seen.largest, BROKEN: float(len(seen.broken))}
        values |= {f"drift_{each.name}"[:255]: each.score for each in seen.columns}
    at = datetime.datetime.fromisoformat(seen.at)
    dimensions = [{"Name": "Endpoint", "Value": watch.endpoint},
                  {"Name": "Monitor", "Value": watch.monitor}]  # fmt: skip
    data = [
        {"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": dimensions}
        for name, value in values.items()
    ]
    for start in range(0, len(data), _AT_ONCE):
        part = data[start : start + _AT_ONCE]
        cloud.call("cloudwatch", "put_metric_data", Namespace=NAMESPACE, MetricData=part)


def place(url: str) -> tuple[str, str]:
    """Bucket and folder of an `s3://` URL.

    Raises:
        InputError: it is none.
    """
    scheme, _, rest = url.partition("://")
    bucket, _, folder = rest.partition("/")
    if scheme != "s3" or not bucket or not folder.strip("/"):
        raise InputError(f"'{url}' is not s3://BUCKET/FOLDER", where=url)
    return bucket, folder.strip("/")
