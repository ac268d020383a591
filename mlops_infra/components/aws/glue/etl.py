"""ETL jobs, the upload of their scripts, and when they run."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.glue import (
    Job,
    JobCommandArgs,
    JobExecutionPropertyArgs,
    Trigger,
    TriggerActionArgs,
    TriggerPredicateArgs,
    TriggerPredicateConditionArgs,
)
from pulumi_aws.s3 import BucketObjectv2

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import lake_uri
from mlops_infra.components.aws.glue.catalogue import Catalogue
from mlops_infra.config.aws.data import Etl, GlueJob
from mlops_infra.plan.named_files import script

TYPE = "mlops-infra:aws:Etl"
OWN = "raw_to_parquet.py"
"""The kit's own script."""


class EtlJobs(pulumi.ComponentResource):
    """The jobs of `aws.glue.jobs`."""

    def __init__(self, foundation: Foundation, catalogue: Catalogue) -> None:
        super().__init__(TYPE, "etl", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._catalogue = foundation, catalogue
        self._below = ResourceOptions(parent=self)
        jobs = foundation.config.glue.jobs
        if jobs:
            foundation.log_group("glue-jobs", parent=self)
        self.jobs = {name: self._job(name, config) for name, config in jobs.items()}
        self.register_outputs({})

    def _job(self, name: str, config: GlueJob) -> Job:
        foundation, catalogue = self._foundation, self._catalogue
        script = self._upload(name, config)
        scala = (config.script or OWN).endswith(".scala")
        job = Job(
            name,
            name=foundation.name("glue", name),
            description=f"{config.script or OWN} writes the lake",
            role_arn=catalogue.role_arn,
            glue_version=foundation.config.glue.version,
            worker_type=config.worker_type,
            number_of_workers=config.workers,
            execution_class=config.execution,
            timeout=config.timeout_minutes,
            max_retries=config.retries,
            # two runs at once would write the same folders
            execution_property=JobExecutionPropertyArgs(max_concurrent_runs=1),
            security_configuration=catalogue.security.name,
            command=JobCommandArgs(
                name="glueetl",
                python_version=None if scala else "3",
                script_location=script,
            ),
            default_arguments={
                **_common(foundation, scala=scala),
                **(_own_arguments(foundation, config.etl) if config.etl else {}),
            },
            opts=ResourceOptions(parent=self, depends_on=list(catalogue.ready)),
        )
        self._when(name, config, job)
        return job

    def _upload(self, name: str, config: GlueJob) -> pulumi.Output[str]:
        path = script_of(config)
        # a new text gets a new name: no run ever sees half of a change
        key = f"glue/{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}{path.suffix}"
        uploaded = BucketObjectv2(
            f"{name}-script",
            bucket=self._foundation.buckets["artifacts"].bucket,
            key=key,
            source=pulumi.FileAsset(str(path)),
            opts=ResourceOptions(parent=self, depends_on=list(self._foundation.ready)),
        )
        return uploaded.key.apply(lambda key: self._foundation.uri("artifacts", key))

    def _when(self, name: str, config: GlueJob, job: Job) -> None:
        glue_name = self._foundation.name
        if config.schedule:
            Trigger(
                name,
                name=glue_name("glue", name),
                type="SCHEDULED",
                schedule=config.schedule,
                start_on_creation=True,
                actions=[TriggerActionArgs(job_name=job.name)],
                opts=self._below,
            )
        if config.then_crawl:
            condition = TriggerPredicateConditionArgs(
                job_name=job.name, state="SUCCEEDED", logical_operator="EQUALS"
            )
            crawler = self._catalogue.crawlers[config.then_crawl]
            Trigger(
                f"{name}-crawl",
                name=glue_name("glue", f"{name}-crawl"),
                type="CONDITIONAL",
                start_on_creation=True,
                predicate=TriggerPredicateArgs(logical="AND", conditions=[condition]),
                actions=[TriggerActionArgs(crawler_name=crawler.name)],
                opts=self._below,
            )


def script_of(config: GlueJob) -> Path:
    """The script's file: the project's, or the kit's own.

    Raises:
        InputError: the project has no such file.
    """
    if config.script is None:
        return Path(str(files("mlops_infra.components.aws.scripts"))) / OWN
    return script(config.script)


def _common(foundation: Foundation, *, scala: bool) -> dict[str, str]:
    return {
        "--job-language": "scala" if scala else "python",
        "--enable-metrics": "true",
        "--enable-glue-datacatalog": "true",
        "--enable-continuous-cloudwatch-log": "true",
        "--continuous-log-logGroup": foundation.name("log-group", "glue-jobs"),
        "--TempDir": foundation.uri("artifacts", "glue", "temporary") + "/",
    }


def _own_arguments(foundation: Foundation, etl: Etl) -> dict[str, str]:
    table = foundation.config.glue.tables[etl.table]
    columns = {**table.columns, **table.partitions}
    return {
        "--source": lake_uri(foundation, etl.source),
        "--target": lake_uri(foundation, table.path),
        "--refused": foundation.uri("artifacts", "refused", etl.table),
        "--format": etl.format,
        "--columns": ";".join(f"{name}:{kind}" for name, kind in columns.items()),
        "--partitions": ";".join(table.partitions),
        "--keys": ";".join(etl.keys),
    }


def build_etl(foundation: Foundation, catalogue: Catalogue) -> EtlJobs:
    """Declare the jobs."""
    return EtlJobs(foundation, catalogue)
