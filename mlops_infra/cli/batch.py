"""`mlops-infra batch`: scores tables and partitions of buckets with the champion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError, InputError

if TYPE_CHECKING:
    from mlops_infra.lifecycle.batch import BatchJob, BatchResult


@click.group()
def command() -> None:
    """Score tables and buckets with the champion model, each row once."""


@command.command()
@click.argument("job", metavar="TENANT/MODEL/JOB")
@click.option(
    "--models", type=click.Path(path_type=Path), metavar="FILE", help="File of declared models."
)
@click.option("--partition", metavar="NAME", help="Partition to score (default: all).")
@click.option("--again", is_flag=True, help="Replace existing scores, using the current champion.")
@options.as_json
def run(job: str, models: Path | None, partition: str | None, again: bool, as_json: bool) -> None:
    """Score what has no score yet; runs in the cluster.

    A second run writes nothing, and a run after a crash continues where it stopped. A partition
    that cannot be scored stops no other one. Exit code 3 if there was one.
    """
    from mlops_infra.lifecycle import batch
    from mlops_infra.lifecycle.batch import sources
    from mlops_infra.lifecycle.lineage.traces import Trace
    from mlops_infra.lifecycle.pods import assembly, jobs
    from mlops_infra.lifecycle.pods.champions import BatchChampion
    from mlops_infra.lifecycle.services.environment import Environment

    text, where = assembly.models(models)
    chosen = _chosen(jobs.batch_jobs(text, where), job, where)
    around, sink = Environment.here(), render.sink_for(as_json)
    champions = assembly.champions(around)
    schema = champions.schema(chosen.model)
    source = sources.source(
        chosen,
        lambda name: assembly.bucket(around, name),
        assembly.connect,
        texts=schema.texts if schema else (),
    )
    names = [partition] if partition else source.partitions()

    def score(name: str) -> batch.BatchResult:
        return batch.run(
            chosen,
            name,
            source.rows(name),
            champion=BatchChampion(champions, chosen.model),
            connect=assembly.autocommit,
            sink=sink,
            schema=schema,
            again=again,
        )

    results, failed = batch.each(names, score)
    if (index := assembly.lineage(around)) is not None:
        for model in sorted({each.model for each in results}):
            # the job is where this version serves, as an endpoint is
            index.record(Trace(model=model, endpoint=f"{chosen.tenant}/batch-{chosen.name}"))
    _show(job, results, as_json=as_json)
    if failed:
        raise _unscored(chosen, failed, len(names))


def _unscored(job: BatchJob, failed: Sequence[str], partitions: int) -> FoundError:
    return FoundError(
        f"{len(failed)} of {partitions} partitions of {job.id} are not scored",
        failed,
        where=job.source,
        hint="correct the files or rows: the next run of the job scores them",
    )


def _chosen(declared: Sequence[BatchJob], job: str, where: str) -> BatchJob:
    chosen = next((each for each in declared if each.id == job), None)
    if chosen is None:
        known = ", ".join(each.id for each in declared) or "none"
        raise InputError(f"no such batch job: '{job}'", where=where, hint=f"declared: {known}")
    return chosen


def _show(job: str, results: Sequence[BatchResult], *, as_json: bool) -> None:
    if as_json:
        output.document({"job": job, "partitions": [asdict(each) for each in results]})
        return
    output.table(
        ("partition", "model", "rows", "written", "outcome"),
        [(r.partition, r.model, r.rows, r.written, r.outcome) for r in results],
    )
