"""Every mistake of a file is reported at once, with path, line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_infra import config
from mlops_infra.errors import ConfigError, Problem

FIVE = """\
config:
  mlops-infra:profile: onprem
  mlops-infra:environment: Sandbox
  mlops-infra:cluster:
    embeded: true
  mlops-infra:stores:
    sql:
      engine: postgres
    kv:
      size: 5
    object:
      state: external
      endpoint: https://s3.example.com
      secret: s3
"""


def problems(folder: Path, text: str) -> dict[str, Problem]:
    file = folder / "Pulumi.bad.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    assert caught.value.exit_code == 2
    assert caught.value.file == str(file)
    return {problem.path: problem for problem in caught.value.problems}


def test_five_different_mistakes_are_all_reported(tmp_path: Path) -> None:
    found = problems(tmp_path, FIVE)
    told = {path: (problem.line, problem.suggestion) for path, problem in found.items()}
    assert told == {
        "environment": (3, "for example team-a"),
        "cluster.embeded": (5, "did you mean 'embedded'?"),
        "stores.sql.engine": (8, "did you mean 'postgresql'?"),
        "stores.kv.size": (10, "write it in quotes"),
        "stores.object.secret": (14, "add secrets.s3"),
    }


def test_a_section_that_no_one_knows_is_a_mistake_when_it_is_empty_too(tmp_path: Path) -> None:
    found = problems(tmp_path, onprem("mlops-infra:componets: {}"))
    assert found["componets"].suggestion == "did you mean 'components'?"


def test_a_key_of_the_wrong_format_shows_one_that_would_do(tmp_path: Path) -> None:
    tenants = "mlops-infra:tenants: {Team_A: {owner: lee}}"
    secrets = "mlops-infra:secrets: {1x: {key: {env: KEY}}}"
    found = problems(tmp_path, onprem(f"{tenants}\n{secrets}"))
    assert found["tenants.Team_A"].suggestion == "for example team-a"
    assert found["secrets.1x"].suggestion == "for example site-database"


def test_what_stands_behind_an_unreadable_line_is_not_called_missing(tmp_path: Path) -> None:
    found = problems(tmp_path, "config:\n  mlops-infra:profile: onprem\n   bad: [\n")
    assert list(found) == ["(file)"]


def onprem(body: str) -> str:
    head = "config:\n  mlops-infra:profile: onprem\n  mlops-infra:environment: test\n"
    return head + "".join(f"  {line}\n" for line in body.splitlines())


def aws(body: str) -> str:
    head = (
        "config:\n  mlops-infra:profile: aws\n  mlops-infra:environment: test\n"
        '  mlops-infra:aws:\n    account: "111122223333"\n    region: eu-west-1\n'
    )
    return head + "".join(f"    {line}\n" for line in body.splitlines())


ONPREM = [
    ("mlops-infra:kubeconfig: /x", "kubeconfig", 4, "it belongs at cluster.kubeconfig"),
    (
        "mlops-infra:cluster: {kube_config: x}",
        "cluster.kube_config",
        4,
        "did you mean 'kubeconfig'?",
    ),
    ("mlops-infra:components: {mlfow: {}}", "components.mlfow", 4, "did you mean 'mlflow'?"),
    ("mlops-infra:network: {mode: closed}", "network.registry", 4, "registry.site.local:5000"),
    ("mlops-infra:network: {mode: proxied}", "network.proxy", 4, "proxy.https"),
    ("mlops-infra:network: {images: built}", "network.images", 4, "network.registry"),
    ("mlops-infra:network: {images: biult}", "network.images.default", 4, "'built'"),
    (
        "mlops-infra:network: {images: {components: {katib: built}}}",
        "network.images.components.katib",
        4,
        "network.registry",
    ),
    ("mlops-infra:network: {registry: 'http://r'}", "network.registry", 4, "r"),
    ("mlops-infra:network: {registry: 'kim:pw@r.example'}", "network.registry", 4, None),
    ("mlops-infra:network: {registryLogin: a}", "network.registryLogin", 4, "add secrets.a"),
    ("mlops-infra:network: {registryLogin: {password: x}}", "network.registryLogin", 4, None),
    ("mlops-infra:cluster: {simulated: true}", "cluster.simulated", 4, "embedded: true"),
    ("mlops-infra:cluster: {embedded: true, context: c}", "cluster.context", 4, "embedded: false"),
    ("mlops-infra:cluster: {expose: nodePort}", "cluster.address", 4, "10.0.0.11"),
    ("mlops-infra:stores: {sql: {state: external}}", "stores.sql.endpoint", 4, "state external"),
    ("mlops-infra:stores: {kv: {endpoint: 'h:1'}}", "stores.kv.endpoint", 4, "state: external"),
    ("mlops-infra:secrets: {a: {b: {env: X, file: y}}}", "secrets.a.b", 4, None),
    ("mlops-infra:secrets: {a: {b: hunter2}}", "secrets.a.b", 4, None),
    ("mlops-infra:policy: standard\nmlops-infra:protect: false", "protect", 5, "allowReplace"),
    ("mlops-infra:aws: {account: '111122223333'}", "aws", 4, "profile: aws"),
    ("cluster: {embedded: true}", "cluster", 4, "write 'mlops-infra:cluster'"),
    ("mlops_infra:cluster: {}", "mlops_infra:cluster", 4, "write 'mlops-infra:cluster'"),
    ("aws:region: eu-west-1", "aws:region", 4, "remove it"),
    ("mlops-infra:secrets: {secure: v1:abc}", "mlops-infra:secrets", 4, "reference"),
    ("mlops-infra:backend: {url: ftp://x}", "backend.url", 4, None),
]


@pytest.mark.parametrize(("body", "path", "line", "advice"), ONPREM, ids=[m[1] for m in ONPREM])
def test_mistakes_of_onprem(
    tmp_path: Path, body: str, path: str, line: int, advice: str | None
) -> None:
    problem = problems(tmp_path, onprem(body))[path]
    assert problem.line == line
    assert advice is None or advice in (problem.suggestion or "")


GROUP = "features: {f: {recordIdentifier: %s, eventTime: t, features: [%s]}}"
ID, TIME = "{name: i, type: String}", "{name: t, type: String}"
VARIANT = "endpoints: {e: {variants: [{name: a}]%s}}"
AWS = [
    ("kms: {deletionWindowDays: 3}", "aws.kms.deletionWindowDays"),
    ("logRetentionDays: 31", "aws.logRetentionDays"),
    ("zones: [us-east-1a]", "aws.zones[0]"),
    ("vpc: {cidr: 10.0.0.0/8}", "aws.vpc.cidr"),
    ("vpc: {cidr: 10.0.0.1/16}", "aws.vpc.cidr"),
    ("vpc: {id: vpc-0a1b2c3d}", "aws.vpc.subnets"),
    ("tags: {'aws:x': y}", "aws.tags.aws:x"),
    ("glue: {jobs: {j: {script: a.py, workers: 1}}}", "aws.glue.jobs.j.workers"),
    ("glue: {jobs: {j: {script: a.py, execution: CHEAP}}}", "aws.glue.jobs.j.execution"),
    ("athena: {scanLimitBytes: 1}", "aws.athena.scanLimitBytes"),
    (GROUP % ("i", "{name: i, type: Text}"), "aws.features.f.features[0].type"),
    (GROUP % ("id", f"{ID}, {TIME}"), "aws.features.f.recordIdentifier"),
    (GROUP % ("i", f"{ID}, {{name: t, type: Integral}}"), "aws.features.f.eventTime"),
    (
        GROUP % ("i", f"{ID}, {TIME}, {{name: write_time, type: String}}"),
        "aws.features.f.features[2]",
    ),
    (
        "endpoints: {e: {variants: [{name: a, instance: m5.large}]}}",
        "aws.endpoints.e.variants[0].instance",
    ),
    (VARIANT % ", scaling: {min: 3, max: 2}", "aws.endpoints.e.scaling.min"),
    (VARIANT % ", scaling: {min: 2, max: 4}", "aws.endpoints.e.variants[0]"),
    (VARIANT % ", serverless: {memoryMb: 2048}", "aws.endpoints.e.serverless"),
    (
        VARIANT % ", mode: serverless, serverless: {memoryMb: 3000}",
        "aws.endpoints.e.serverless.memoryMb",
    ),
    (VARIANT % ", mode: serverless, capturePercent: 10", "aws.endpoints.e.capturePercent"),
    ("endpoints: {e: {variants: [{name: a, shadow: true}]}}", "aws.endpoints.e.variants"),
    (VARIANT % "" + "\nmonitors: {m: {endpoint: e}}", "aws.monitors.m.endpoint"),
    ("monitors: {m: {endpoint: nowhere}}", "aws.monitors.m.endpoint"),
    ("triggers: {t: {pipeline: p}}", "aws.triggers.t.pipeline"),
    ("pipelines: {p: {definition: p.json}}\ntriggers: {t: {pipeline: p}}", "aws.triggers.t"),
    ("budget: {monthlyUsd: 10, emails: [nobody]}", "aws.budget.emails[0]"),
]


@pytest.mark.parametrize(("body", "path"), AWS, ids=[f"{m[1]}-{i}" for i, m in enumerate(AWS)])
def test_limits_of_aws_are_known_before_up(tmp_path: Path, body: str, path: str) -> None:
    assert path in problems(tmp_path, aws(body))


def test_a_file_that_is_not_there_names_the_nearest_stack(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.sandbox.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "Pulumi.sandbx.yaml")
    assert caught.value.problems[0].suggestion == "did you mean 'sandbox'?"
