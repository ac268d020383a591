"""`mlops-infra batch`: scores tables and partitions of buckets with the champion."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlops_infra.cli import options, output, render
from mlops_infra.errors import FoundError, InputError


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
    chosen = next((each for each in jobs.batch_jobs(text, where) if each.id == job), None)
    if chosen is None:
        known = ", ".join(each.id for each in jobs.batch_jobs(text, where)) or "none"
        raise InputError(f"no such batch job: '{job}'", where=where, hint=f"declared: {known}")
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
    index = assembly.lineage(around)
    for model in sorted({each.model for each in results}):
        if index is not None:  # the job is where this version serves, as an endpoint is
            index.record(Trace(model=model, endpoint=f"{chosen.tenant}/batch-{chosen.name}"))
    if as_json:
        output.document({"job": job, "partitions": [asdict(each) for each in results]})
    else:
        output.table(
            ("partition", "model", "rows", "written", "outcome"),
            [(r.partition, r.model, r.rows, r.written, r.outcome) for r in results],
        )
    if failed:
        raise FoundError(
            f"{len(failed)} of {len(names)} partitions of {job} are not scored",
            failed,
            where=chosen.source,
            hint=f"correct each, then: mlops-infra batch run {job} --partition NAME",
        )
