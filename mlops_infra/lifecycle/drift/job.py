"""One run of the drift job: compare, judge, keep the report, tell the database."""

from __future__ import annotations

import datetime
import json
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

from mlops_infra.lifecycle.drift import reference as references
from mlops_infra.lifecycle.drift import requests
from mlops_infra.lifecycle.drift.compare import ColumnDrift, compare
from mlops_infra.lifecycle.drift.reference import Reference, Versions
from mlops_infra.lifecycle.drift.requests import Connect
from mlops_infra.lifecycle.services.object_store import ObjectStore
from mlops_infra.lifecycle.validation import check
from mlops_infra.progress import Sink, step

_WRITE = (
    "INSERT INTO drift_result (id, tenant, model, version, at, since, rows, drifted, share, "
    "columns, findings, json_object, html_object) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


@dataclass(frozen=True, slots=True)
class DriftJob:
    """What is compared and when it counts as drift."""

    tenant: str
    model: str
    bucket: str
    """The tenant's own, where the report goes."""
    window: datetime.timedelta = datetime.timedelta(days=1)
    share: float = 0.5
    min_rows: int = 50


@dataclass(frozen=True, slots=True)
class DriftResult:
    """What one run found."""

    id: str
    tenant: str
    model: str
    version: str
    at: datetime.datetime
    since: datetime.datetime
    rows: int
    judged: bool
    """False where there were too few requests to say anything."""
    drifted: bool
    share: float
    columns: tuple[ColumnDrift, ...]
    findings: tuple[str, ...]
    """Rules of the schema that the requests broke."""
    json_object: str | None = None
    html_object: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "at": self.at.isoformat(), "since": self.since.isoformat()}


def run(
    job: DriftJob,
    *,
    connect: Connect,
    versions: Versions,
    objects: ObjectStore | None,
    sink: Sink,
    now: datetime.datetime | None = None,
) -> DriftResult:
    """Compare what was asked since the window began with the champion's reference.

    The report goes to the tenant's bucket as `drift/<model>/<version>/<time>.json` and `.html`.

    Raises:
        InputError: there is no champion, or it has no reference.
        OperationFailed: a service does not answer.
    """
    at = now or datetime.datetime.now(datetime.UTC)
    since = at - job.window
    with step(sink, f"Looking for drift in {job.tenant}/{job.model}") as work:
        reference = references.load(connect, versions, job.tenant, job.model)
        names = [str(name) for name in reference.inputs.columns]
        current = requests.logged(connect, job.tenant, job.model, since, names)
        result = DriftResult(
            id=str(uuid.uuid4()),
            tenant=job.tenant,
            model=job.model,
            version=reference.version,
            at=at,
            since=since,
            rows=len(current),
            judged=False,
            drifted=False,
            share=0.0,
            columns=(),
            findings=(),
        )
        if len(current) < job.min_rows:
            work.end("skipped", f"{len(current)} logged rows, {job.min_rows} are needed")
            return result
        result = _judged(job, result, reference, current, objects)
        _record(connect, result)
        count = sum(column.drifted for column in result.columns)
        what = "drift" if result.drifted else "no drift"
        work.end("done", f"{what}: {count} of {len(result.columns)} columns, {result.rows} rows")
    return result


def _judged(
    job: DriftJob,
    result: DriftResult,
    reference: Reference,
    current: Any,
    objects: ObjectStore | None,
) -> DriftResult:
    found = compare(current, reference.inputs)
    quality = check(current, reference.schema).findings if reference.schema else ()
    base = f"drift/{job.model}/{reference.version}/{result.at:%Y%m%dT%H%M%SZ}"
    judged = replace(
        result,
        judged=True,
        drifted=found.share >= job.share,
        share=found.share,
        columns=found.columns,
        findings=tuple(str(each) for each in quality),
        json_object=f"{base}.json" if objects else None,
        html_object=f"{base}.html" if objects else None,
    )
    if objects is not None:
        objects.put(f"{base}.html", found.html)
        objects.put(f"{base}.json", json.dumps(judged.as_dict(), indent=2).encode())
    return judged


def _record(connect: Connect, result: DriftResult) -> None:
    columns = json.dumps([asdict(column) for column in result.columns])
    with connect() as connection:
        connection.execute(
            _WRITE,
            (
                *(result.id, result.tenant, result.model, result.version, result.at, result.since),
                *(result.rows, result.drifted, result.share, columns),
                *(json.dumps(result.findings), result.json_object, result.html_object),
            ),
        )
