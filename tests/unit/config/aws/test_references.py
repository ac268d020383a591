"""What Glue and SageMaker would refuse, or take and not mean: names, exclusions, combinations."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra.config.aws.models import Training
from mlops_infra.config.aws.rules.models import TRAINING_PARAMETERS
from mlops_infra.plan.aws.sagemaker import Machine, training_pipeline
from tests.unit.config.test_mistakes import aws, problems

TABLES = "tables: {orders: {path: curated/orders, columns: {id: bigint}, partitions: {day: date}}}"
ENDPOINT = "endpoints: {demand: {variants: [{name: a}], capturePercent: 5}}"
VPC = "vpc: {interfaceEndpoints: true}"
PIPELINE = "pipelines: {demand: {training: {data: curated/orders, target: late}}}"
MONITOR = "monitors: {m: {endpoint: demand, by: modelMonitor, %s}}"
FRONT = "fronts: {f: {endpoint: demand, fields: {a: {%s}}}}"
TRIGGER = "triggers: {t: {pipeline: demand, onDemand: true, %s}}"
FEATURES = (
    "features: {c: {recordIdentifier: id, eventTime: at, %s"
    "features: [{name: id, type: String}, {name: at, type: String}%s]}}"
)


def glue(jobs: str) -> str:
    return f"glue: {{{TABLES}, {jobs}}}"


def endpoint(mode: str, variants: str, more: str = "") -> str:
    return f"endpoints: {{d: {{mode: {mode}, variants: [{variants}]{more}}}}}"


MISTAKES = [
    (
        "glue: {tables: {o: {path: raw/o, columns: {day: date}, partitions: {day: date}}}}",
        "aws.glue.tables.o.columns.day",
        "partition too",
    ),
    (
        "glue: {tables: {o: {path: raw/o, columns: {a: date}, partitions: {d: 'array<int>'}}}}",
        "aws.glue.tables.o.partitions.d",
        "date or string",
    ),
    (glue("jobs: {o: {}}"), "aws.glue.jobs.o", "exactly one of script and etl"),
    (
        glue("jobs: {o: {script: a.py, etl: {source: raw/o, table: orders}}}"),
        "aws.glue.jobs.o",
        "exactly one",
    ),
    (
        glue("jobs: {o: {etl: {source: raw/o, table: order}}}"),
        "aws.glue.jobs.o.etl.table",
        "did you mean 'orders'?",
    ),
    (
        glue("jobs: {o: {etl: {source: raw/o, table: orders, keys: [id, nosuch]}}}"),
        "aws.glue.jobs.o.etl.keys[1]",
        "nosuch",
    ),
    (
        glue("jobs: {o: {etl: {source: raw/o, table: orders}, thenCrawl: x}}"),
        "aws.glue.jobs.o.thenCrawl",
        "no such crawler",
    ),
    (
        glue("jobs: {o: {etl: {source: curated/orders/new, table: orders}}}"),
        "aws.glue.jobs.o.etl.source",
        "overlap",
    ),
    (
        glue("jobs: {o: {script: a.py, workerType: G.025X}}"),
        "aws.glue.jobs.o.workerType",
        "streaming",
    ),
    (
        glue("jobs: {o: {script: a.py, schedule: cron(0/2 * * * ? *)}}"),
        "aws.glue.jobs.o.schedule",
        "every 5 minutes",
    ),
    (
        glue("crawlers: {o: {path: raw/o, schedule: rate(1 day)}}"),
        "aws.glue.crawlers.o.schedule",
        "cron",
    ),
    (
        glue("quality: {q: {table: x, rules: ['RowCount > 0']}}"),
        "aws.glue.quality.q.table",
        "no such table",
    ),
    (endpoint("async", "{name: a}, {name: b, shadow: true}"), "aws.endpoints.d.variants", "shadow"),
    (
        endpoint("realtime", "{name: a}, {name: b, shadow: true}, {name: c, shadow: true}"),
        "aws.endpoints.d.variants",
        "one shadow",
    ),
    (endpoint("realtime", "{name: a, weight: 0}"), "aws.endpoints.d.variants", "weight: 1"),
    (endpoint("realtime", "{name: a}", ", queue: {}"), "aws.endpoints.d.queue", "async"),
    (
        "endpoints: {d: {variants: [{name: a, model: 's3://1.2.3.4/model.tar.gz'}]}}",
        "aws.endpoints.d.variants[0].model",
        "IP address",
    ),
    (
        FEATURES % ("", ", {name: A_b, type: String}, {name: a_B, type: String}"),
        "aws.features.c.features[3]",
        "capitals",
    ),
    (FEATURES % ("online: false, ttlDays: 3, ", ""), "aws.features.c.ttlDays", "online store"),
    ("pipelines: {p: {}}", "aws.pipelines.p", "exactly one"),
    (
        "pipelines: {p: {training: {data: raw/a, target: t, metric: r2}}}",
        "aws.pipelines.p.training.metric",
        "accuracy",
    ),
    (
        "pipelines: {p: {training: {data: raw/a, target: t, ignore: [t]}}}",
        "aws.pipelines.p.training.ignore",
        "target",
    ),
    (
        "pipelines: {p: {training: {data: raw/a, target: t}, parameters: {A: 1}}}",
        "aws.pipelines.p.parameters",
        "definition",
    ),
    (
        f"{VPC}\n{ENDPOINT}\nmonitors: {{m: {{endpoint: demand}}}}",
        "aws.monitors.m.pipeline",
        "baseline",
    ),
    (
        f"{VPC}\n{ENDPOINT}\nmonitors: {{m: {{endpoint: demand, pipeline: x}}}}",
        "aws.monitors.m.pipeline",
        "no such pipeline",
    ),
    (
        f"{VPC}\n{ENDPOINT}\n{PIPELINE}\n{MONITOR % 'schedule: cron(0/5 * ? * * *)'}",
        "aws.monitors.m.schedule",
        "once a day",
    ),
    (
        f"{VPC}\n{ENDPOINT}\n{PIPELINE}\n{MONITOR % 'minRows: 5'}",
        "aws.monitors.m.minRows",
        "by: kit",
    ),
    (
        "batches: {b: {input: raw/a, output: raw/a/b, schedule: rate(1 day)}}",
        "aws.batches.b.output",
        "overlap",
    ),
    ("fronts: {f: {endpoint: x}}", "aws.fronts.f.endpoint", "no such endpoint"),
    (
        f"{ENDPOINT}\n{FRONT % 'type: string, min: 1'}",
        "aws.fronts.f.fields.a.min",
        "type string",
    ),
    (
        f"{ENDPOINT}\n{FRONT % 'type: number, min: 2, max: 1'}",
        "aws.fronts.f.fields.a.min",
        "more than max",
    ),
    (
        f"{PIPELINE}\n{TRIGGER % 'parameters: {Thresh: one}'}",
        "aws.triggers.t.parameters.Thresh",
        "Threshold",
    ),
    (
        f"{PIPELINE}\n{TRIGGER % 'marker: x'}",
        "aws.triggers.t.marker",
        "newData",
    ),
    ("airflow: {size: mw1.micro}", "aws.airflow.maxWorkers", "one worker"),
    ("prefix: xn--a", "aws.prefix", "reserves"),
    ("vpc: {cidr: 10.0.0.1/16}", "aws.vpc.cidr", "10.0.0.0/16"),
]


@pytest.mark.parametrize(("body", "path", "legal"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_told(tmp_path: Path, body: str, path: str, legal: str) -> None:
    found = problems(tmp_path, aws(body))
    assert path in found, sorted(found)
    assert legal in f"{found[path].message} {found[path].suggestion or ''}"


def test_the_parameters_of_a_training_are_those_of_its_definition() -> None:
    machine = Machine(
        image="i", role="r", bucket="b", instance="ml.m5.large", key="k", subnets=(), groups=()
    )
    settings = Training(data="curated/orders", target="late")
    made = training_pipeline("p", settings, machine, data="s3://b/d", group="g")
    assert sorted(each["Name"] for each in made["Parameters"]) == sorted(TRAINING_PARAMETERS)
