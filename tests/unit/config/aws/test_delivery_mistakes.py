"""Mistakes in `aws.delivery` and of monitors, refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra import config
from tests.unit.config.test_mistakes import aws, problems

ROLE = "role: arn:aws:iam::111122223333:role/deployer\n"
GITHUB = "delivery: {github: {repository: a/b, branches: [main]}}"
CONNECTION = (
    "arn:aws:codeconnections:eu-west-1:111122223333:connection/"
    + "0" * 8
    + ("-0000-0000-0000-" + "0" * 12)
)
PIPELINE = f"codepipeline: {{connection: '{CONNECTION}', repository: a/b}}"
STAGE = "{account: '%s', role: 'arn:aws:iam::999988887777:role/d', stack: s}"
TWICE = f"a: {STAGE % '999988887777'}, b: {STAGE % '999988887777'}"
MISTAKES = [
    (GITHUB, "aws.role", "role/deployer"),
    (ROLE + GITHUB, "backend.url", "s3://"),
    (
        "endpoints: {e: {variants: [{name: a}], capturePercent: 5}}\nmonitors: {m: {endpoint: e}}",
        "aws.monitors.m",
        "interfaceEndpoints",
    ),
    (ROLE + "delivery: {github: {repository: a/b}}", "aws.delivery.github", "branches"),
    (
        f"{ROLE}delivery: {{stages: {{prod: {STAGE % '999988887777'}}}}}",
        "aws.delivery.stages",
        "codepipeline",
    ),
    (
        f"{ROLE}delivery: {{{PIPELINE}, stages: {{prod: {STAGE % '555555555555'}}}}}",
        "aws.delivery.stages.prod.role",
        "555555555555",
    ),
    (
        f"{ROLE}delivery: {{{PIPELINE}, stages: {{{TWICE}}}}}",
        "aws.delivery.stages.b.stack",
        "already",
    ),
]


@pytest.mark.parametrize(("body", "path", "legal"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_told(tmp_path: Path, body: str, path: str, legal: str) -> None:
    found = problems(tmp_path, aws(body))
    assert path in found, sorted(found)
    assert legal in f"{found[path].message} {found[path].suggestion or ''}"


def test_a_whole_delivery_passes(tmp_path: Path) -> None:
    body = f"{ROLE}delivery: {{{PIPELINE}, stages: {{prod: {STAGE % '999988887777'}}}}}"
    text = aws(body) + "  mlops-infra:backend: {url: 's3://state'}\n"
    file = tmp_path / "Pulumi.good.yaml"
    file.write_text(text, encoding="utf-8")
    assert config.load(file).aws is not None
