"""Mistakes that AWS would answer minutes into `up`: refused before, with path and what is legal.

Each line is one deliberate mistake, most of them a limit of a service's Create call.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.test_mistakes import aws, problems

ENDPOINT = "endpoints: {e: {variants: [{name: a%s}]%s}}"
CRAWLER = "glue: {crawlers: {c: {path: raw/x, schedule: '%s'}}}"
TRIGGER = "pipelines: {p: {definition: p.json}}\ntriggers: {t: {pipeline: p, schedule: '%s'}}"
SQL = "stores: {sql: {%s}}"
VPC = "vpc: {id: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-0a1b2c3e], cidr: 10.0.0.0/16%s}"
ARN = "arn:aws:iam::111122223333"

MISTAKES = [
    # account and identities
    ("role: arn:aws:iam::111122223333:user/me", "aws.role", "arn:"),
    ("role: arn:aws:iam::999988887777:role/deployer", "aws.role", "111122223333"),
    ("permissionsBoundary: workload-boundary", "aws.permissionsBoundary", "arn:"),
    (f"permissionsBoundary: {ARN}:role/x", "aws.permissionsBoundary", "policy"),
    ("endpointUrl: localhost:5000", "aws.endpointUrl", "https://"),
    ("prefix: My_Platform", "aws.prefix", "team-a"),
    ("prefix: a-name-of-21-characters", "aws.prefix", "20"),
    ("tags: {'mlops-infra:stack': other}", "aws.tags.mlops-infra:stack", "reserved"),
    ("tags: {owner: 'a#b'}", "aws.tags.owner", "team a"),
    ("zones: [eu-west-1a, eu-west-1a]", "aws.zones[1]", "duplicated"),
    # keys and logs
    ("kms: {deletionWindowDays: 3}", "aws.kms.deletionWindowDays", "7"),
    ("kms: {deletionWindowDays: 31}", "aws.kms.deletionWindowDays", "30"),
    ("kms: {key: alias/data}", "aws.kms.key", "arn:"),
    ("kms: {key: 'arn:aws:kms:us-east-1:111122223333:key/1'}", "aws.kms.key", "eu-west-1"),
    ("logRetentionDays: 31", "aws.logRetentionDays", "30"),
    # network
    ("vpc: {id: vpc-xyz}", "aws.vpc.id", "vpc-"),
    ("vpc: {subnets: [subnet-0a1b2c3d]}", "aws.vpc.id", "existing VPC"),
    ("vpc: {cidr: 10.0.0.0/29}", "aws.vpc.cidr", "/28"),
    ("vpc: {cidr: 10.0.0.0/26}", "aws.vpc.cidr", "/16 to /24"),
    ("vpc: {cidr: 300.0.0.0/16}", "aws.vpc.cidr", "10.0.0.0/16"),
    ("vpc: {natGateways: 7}", "aws.vpc.natGateways", "6"),
    ("zones: [eu-west-1a]\nvpc: {natGateways: 2}", "aws.vpc.natGateways", "at most 1"),
    (VPC % ", natGateways: 1", "aws.vpc.natGateways", "remove"),
    ("vpc: {id: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d]}", "aws.vpc.cidr", "10.20.0.0/16"),
    # lake
    ("lake: {expireOldVersionsDays: 0}", "aws.lake.expireOldVersionsDays", "1"),
    ("lake: {expireDays: {bronze: 5}}", "aws.lake.expireDays.bronze", "raw"),
    ("lake: {objectLock: true, versioning: false}", "aws.lake.versioning", "true"),
    ("lake: {objectLockDays: 30}", "aws.lake.objectLock", "true"),
    ("lake: {objectLock: true, objectLockMode: LEGAL}", "aws.lake.objectLockMode", "COMPLIANCE"),
    ("lake: {objectLock: true, forceDestroy: true}", "aws.lake.forceDestroy", "objectLock"),
    ("lake: {rawToColdDays: 90, expireDays: {raw: 60}}", "aws.lake.rawToColdDays", "less than 60"),
    # stores and images
    (SQL % "instance: m7g.large", "aws.stores.sql.instance", "db."),
    (SQL % "instance: db.m7g.larg", "aws.stores.sql.instance", "db.m7g.large"),
    (SQL % "version: '13'", "aws.stores.sql.version", "17"),
    (SQL % "storageGib: 10", "aws.stores.sql.storageGib", "20"),
    (SQL % "storageGib: 100, storageLimitGib: 105", "aws.stores.sql.storageLimitGib", "110"),
    (SQL % "backupDays: 36", "aws.stores.sql.backupDays", "35"),
    ("stores: {kv: {replicas: 6}}", "aws.stores.kv.replicas", "5"),
    ("stores: {kv: {version: '7.4'}}", "aws.stores.kv.version", "7.2"),
    ("stores: {kv: {instance: db.t4g.micro}}", "aws.stores.kv.instance", "cache."),
    ("images: {repositories: [Training]}", "aws.images.repositories[0]", "team-a"),
    ("images: {repositories: [a, a]}", "aws.images.repositories[1]", "duplicated"),
    # schedules
    (CRAWLER % "rate(1 day)", "aws.glue.crawlers.c.schedule", "cron"),
    (CRAWLER % "cron(0 2 * * *)....", "aws.glue.crawlers.c.schedule", "cron"),
    (CRAWLER % "cron(0 2 * * * *)", "aws.glue.crawlers.c.schedule", "?"),
    (CRAWLER % "cron(0 25 * * ? *)", "aws.glue.crawlers.c.schedule", "0 to 23"),
    (TRIGGER % "rate(1 days)", "aws.triggers.t.schedule", "day"),
    (TRIGGER % "rate(2 fortnights)", "aws.triggers.t.schedule", "hours"),
    # serving
    (ENDPOINT % (", instance: ml.m5.larg", ""), "aws.endpoints.e.variants[0].instance", "large"),
    (ENDPOINT % (", count: 0", ""), "aws.endpoints.e.variants[0].count", "1"),
    (ENDPOINT % (", model: newest", ""), "aws.endpoints.e.variants[0].model", "latest-approved"),
    (ENDPOINT % ("", ", capturePercent: 101"), "aws.endpoints.e.capturePercent", "100"),
    (ENDPOINT % ("", ", mode: batch"), "aws.endpoints.e.mode", "serverless"),
    (
        ENDPOINT % ("", ", deployment: {stepPercent: 60}"),
        "aws.endpoints.e.deployment.stepPercent",
        "50",
    ),
    # queries, registry, streams, money
    ("athena: {resultsExpireDays: 0}", "aws.athena.resultsExpireDays", "1"),
    ("registry: {readerAccounts: ['12']}", "aws.registry.readerAccounts[0]", "12"),
    (
        "streams: {s: {path: raw/s, retentionHours: 12}}",
        "aws.streams.s.retentionHours",
        "24",
    ),
    ("streams: {s: {path: logs/s}}", "aws.streams.s.path", "raw"),
    ("budget: {monthlyUsd: 0, emails: [a@b.io]}", "aws.budget.monthlyUsd", "1"),
    ("regoin: eu-west-1", "aws.regoin", "region"),
]

HARDENED = [
    ("logRetentionDays: 90", "aws.logRetentionDays", "365"),
    ("kms: {deletionWindowDays: 7}", "aws.kms.deletionWindowDays", "30"),
    ("lake: {accessLogs: false}", "aws.lake.accessLogs", "true"),
    ("lake: {versioning: false}", "aws.lake.versioning", "true"),
    ("vpc: {flowLogs: false}", "aws.vpc.flowLogs", "true"),
    ("lake: {forceDestroy: true}", "aws.lake.forceDestroy", "remove"),
    (ENDPOINT % ("", ""), "aws.endpoints.e.variants[0]", "count: 2"),
]


def told(folder: Path, text: str, path: str) -> str:
    found = problems(folder, text)
    assert path in found, sorted(found)
    problem = found[path]
    assert problem.line is not None
    return f"{problem.message} {problem.suggestion or ''}"


@pytest.mark.parametrize(
    ("body", "path", "legal"), MISTAKES, ids=[f"{m[1]}-{i}" for i, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_told_with_what_is_legal(
    tmp_path: Path, body: str, path: str, legal: str
) -> None:
    assert legal in told(tmp_path, aws(body), path)


@pytest.mark.parametrize(("body", "path", "legal"), HARDENED, ids=[m[1] for m in HARDENED])
def test_policy_hardened_has_a_floor(tmp_path: Path, body: str, path: str, legal: str) -> None:
    text = aws(body) + "  mlops-infra:policy: hardened\n"
    assert legal in told(tmp_path, text, path)


def test_there_are_forty_of_them() -> None:
    assert len({body for body, _, _ in MISTAKES}) >= 40
