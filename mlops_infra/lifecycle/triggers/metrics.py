"""What Prometheus learns of drift, trainings and batch jobs: read from the database when it asks.

So the figures are the same whichever replica answers, and survive each of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlops_infra.errors import MlopsError
from mlops_infra.lifecycle.triggers.ledger import Connect

if TYPE_CHECKING:
    from prometheus_client import Metric

    from mlops_infra.lifecycle.triggers.controller import Controller

_log = logging.getLogger("mlops_infra.triggers")
_MODEL = ("tenant", "model", "version")
_DRIFT = (
    "SELECT DISTINCT ON (tenant, model) tenant, model, version, share, drifted, rows, "
    "extract(epoch FROM at), columns, jsonb_array_length(findings) "
    "FROM drift_result ORDER BY tenant, model, at DESC"
)
_EVENTS = (
    "SELECT tenant, model, kind, CASE WHEN waiting THEN 'waiting' ELSE state END, count(*) "
    "FROM trigger_event GROUP BY 1, 2, 3, 4"
)
_TRAININGS = (
    "SELECT tenant, model, coalesce(outcome, 'claimed'), count(*) FROM trigger_event "
    "WHERE state IN ('claimed', 'fired') GROUP BY 1, 2, 3"
)
_BATCH = (
    "SELECT tenant, job, partition, total_rows, done_rows, extract(epoch FROM changed_at) "
    "FROM (SELECT *, row_number() OVER (PARTITION BY tenant, job ORDER BY changed_at DESC) AS n "
    "FROM batch_run) AS runs WHERE n = 1"
)


class Figures:
    """A collector of `prometheus_client`."""

    def __init__(self, connect: Connect, controller: Controller) -> None:
        self._connect = connect
        self._controller = controller

    def collect(self) -> Iterator[Metric]:
        """All metrics; those of the database are absent while it does not answer."""
        try:
            with self._connect() as connection:
                tables = [
                    connection.execute(query.encode()).fetchall()
                    for query in (_DRIFT, _EVENTS, _TRAININGS, _BATCH)
                ]
        except MlopsError as error:
            _log.warning("no figures: %s", error.what)
            tables = []
        yield _gauge("up", "Whether the database answers", (), [((), float(bool(tables)))])
        errors = [((name,), float(count)) for name, count in self._controller.errors.items()]
        yield _gauge("errors", "Failed checks and starts", ("what",), errors)
        refused = [
            ((each.tenant, each.name, each.reason), 1.0) for each in self._controller.refused
        ]
        labels = ("tenant", "model", "reason")
        yield _gauge("declaration_refused", "Declared models that cannot be used", labels, refused)
        if tables:
            yield from _drift(tables[0])
            yield _counted("events", "Causes for training", ("kind", "state"), tables[1])
            yield _counted("trainings", "Trainings that were started", ("outcome",), tables[2])
            yield from _batch(tables[3])


def _drift(rows: Sequence[Sequence[Any]]) -> Iterator[Metric]:
    kinds = (
        ("drift_share", "Share of the columns that have drifted", 3),
        ("drift_detected", "1 where the model's inputs count as drifted", 4),
        ("drift_rows", "Logged requests that were compared", 5),
        ("drift_at_seconds", "Time of the last drift check, Unix seconds", 6),
        ("data_quality_findings", "Rules of the schema that requests broke", 8),
    )
    for name, text, index in kinds:
        yield _gauge(name, text, _MODEL, [(row[:3], float(row[index])) for row in rows])
    scores = [
        ((*row[:3], str(column["name"])), float(column["score"]))
        for row in rows
        for column in row[7]
    ]
    yield _gauge("drift_column_score", "Drift of one column", (*_MODEL, "column"), scores)


def _batch(rows: Sequence[Sequence[Any]]) -> Iterator[Metric]:
    labels = ("tenant", "job", "partition")
    for name, text, index in (
        ("batch_rows", "Rows of the latest partition", 3),
        ("batch_rows_done", "Rows of the latest partition that are scored", 4),
        ("batch_at_seconds", "Time of the last write, Unix seconds", 5),
    ):
        yield _gauge(name, text, labels, [(row[:3], float(row[index])) for row in rows])


def _counted(
    name: str, text: str, labels: tuple[str, ...], rows: Sequence[Sequence[Any]]
) -> Metric:
    values = [(row[:-1], float(row[-1])) for row in rows]
    return _gauge(name, text, ("tenant", "model", *labels), values)


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Sequence[tuple[Sequence[str], float]]
) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(f"mlops_infra_{name}", text, labels=labels)
    for of, value in values:
        family.add_metric([str(each) for each in of], value)
    return family
