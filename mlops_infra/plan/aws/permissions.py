"""The policies that a deployer of a stack needs, from the types of its resources. Pure."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from mlops_infra.plan.aws.names import AwsNames

LARGEST = 6_144
"""Characters, without blanks, that IAM takes in one managed policy."""
PASS_ROLE = "iam:PassRole"  # noqa: S105 - the name of an action
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_ANY_ACCOUNT = frozenset({"sts:GetCallerIdentity", "tag:GetResources", "s3:ListAllMyBuckets"})
_READING = ("Describe", "Get", "List", "BatchGet", "View")

_NAMED: Mapping[str, tuple[str, ...]] = {
    "athena": ("athena:workgroup/{base}-*",),
    "budgets": ("budgets::budget/{base}-*",),
    "cloudwatch": ("cloudwatch:alarm:{base}-*", "cloudwatch::dashboard/{base}-*"),
    "codebuild": ("codebuild:project/{base}-*",),
    "codepipeline": ("codepipeline:{base}-*",),
    "ecr": ("ecr:repository/{base}/*",),
    "events": ("events:rule/{base}-*",),
    "firehose": ("firehose:deliverystream/{base}-*",),
    "iam": ("iam::role/{base}-*", "iam::policy/{base}-*"),
    "kinesis": ("kinesis:stream/{base}-*",),
    "lambda": ("lambda:function:{base}-*",),
    "s3": ("s3:::{base}-*",),
    "scheduler": ("scheduler:schedule/default/{base}-*",),
    "sns": ("sns:{base}-*",),
    "sqs": ("sqs:{base}-*",),
    "secretsmanager": ("secretsmanager:secret:{base}-*", "secretsmanager:secret:rds!*"),
    "sagemaker": ("sagemaker:*/{base}-*",),
}
"""Service to what its writing actions may touch; services whose ids are random have `*`."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Policy documents, each small enough for IAM."""

    documents: tuple[Mapping[str, Any], ...]
    unknown: tuple[str, ...]
    """Types of resources that the table does not know."""

    @property
    def actions(self) -> tuple[str, ...]:
        """All actions, each once."""
        statements = (s for document in self.documents for s in document["Statement"])
        return tuple(sorted({action for s in statements for action in s["Action"]}))

    def as_dict(self) -> dict[str, object]:
        """For the command line."""
        return {"policies": list(self.documents), "unknownTypes": list(self.unknown)}


def policies(types: Iterable[str], names: AwsNames) -> Policies:
    """What deploying, verifying and taking away resources of `types` takes."""
    table = load_actions()
    wanted: set[str] = set(table[":teardown"])
    unknown: list[str] = []
    for each in sorted(set(types)):
        known = table.get(each.removeprefix("aws:"))
        if known is None:
            unknown.append(each)
        else:
            wanted |= set(known)
    return Policies(tuple(_documents(_statements(wanted, names))), tuple(unknown))


@functools.cache
def load_actions() -> Mapping[str, tuple[str, ...]]:
    """Type without `aws:` to its actions; `:teardown` to those of `down` and `verify`."""
    text = resources.files(__package__).joinpath("permissions.yaml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    return {key: tuple(actions) for key, actions in found.items()}


def _statements(wanted: set[str], names: AwsNames) -> list[dict[str, Any]]:
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for action in sorted(wanted - {PASS_ROLE}):
        service = action.partition(":")[0]
        found.setdefault((service, _resources(action, names)), []).append(action)
    statements: list[dict[str, Any]] = []
    for (service, arns), actions in sorted(found.items()):
        sid = "".join(part.capitalize() for part in service.split("-"))
        sid += "Read" if arns == ("*",) and service in _NAMED else ""
        statements.append(_allow(sid, actions, list(arns)))
    if PASS_ROLE in wanted:
        statements.append(_pass_role(names))
    return statements


def _resources(action: str, names: AwsNames) -> tuple[str, ...]:
    service, _, verb = action.partition(":")
    known = _NAMED.get(service)
    reading = verb.startswith(_READING) and service != "s3"
    if known is None or reading or action in _ANY_ACCOUNT or verb == "CreateServiceLinkedRole":
        return ("*",)
    found = [_arn(pattern.format(base=names.base), names) for pattern in known]
    if service == "s3":
        found += [f"{each}/*" for each in found]
    return tuple(found)


def _arn(pattern: str, names: AwsNames) -> str:
    """`service:rest`, or `service::rest` for what has no region, as a whole ARN."""
    if pattern.startswith("s3:::"):
        return f"arn:{names.partition}:{pattern}"
    service, _, rest = pattern.partition(":")
    regional = not rest.startswith(":")
    return names.arn(service, rest.removeprefix(":"), region=regional)


def _pass_role(names: AwsNames) -> dict[str, Any]:
    services = ("sagemaker", "glue", "events", "scheduler", "lambda", "firehose", "codebuild",
                "codepipeline", "vpc-flow-logs", "monitoring.rds", "airflow-env", "airflow",
                "lakeformation")  # fmt: skip
    condition = {"iam:PassedToService": [f"{each}.amazonaws.com" for each in services]}
    arn = names.arn("iam", f"role/{names.base}-*", region=False)
    return {**_allow("PassRole", [PASS_ROLE], [arn]), "Condition": {"StringEquals": condition}}


def _allow(sid: str, actions: Sequence[str], arns: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(arns)}


def _documents(statements: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """The statements in as few documents as their size allows."""
    held: list[dict[str, Any]] = []
    for each in statements:
        if held and _size([*held, each]) > LARGEST:
            yield _document(held)
            held = []
        held.append(each)
    if held:
        yield _document(held)


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _size(statements: list[dict[str, Any]]) -> int:
    return len(json.dumps(_document(statements), separators=(",", ":")))
