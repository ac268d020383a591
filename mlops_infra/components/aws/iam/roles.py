"""IAM roles as data: what a role may do is a value that a linter reads before AWS does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi import Input

from mlops_infra.plan.aws.names import AwsNames

Conditions = Mapping[str, Mapping[str, Input[str] | Sequence[Input[str]]]]
"""Operator to key to value, as in a policy document."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is allowed.

    Args:
        sid: what it is for, letters and digits.
        actions: whole names, `s3:GetObject`; no `*` (`roles_lint`).
        resources: ARNs; `*` only for actions that know no resource.
        conditions: further limits.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[Input[str], ...]
    conditions: Conditions = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As a policy document has it."""
        found: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": sorted(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            found["Condition"] = {op: dict(keys) for op, keys in self.conditions.items()}
        return found


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role that one AWS service assumes.

    Args:
        name: short, for example `training`; the stack's prefix is put before it.
        service: principal without suffix, for example `sagemaker`.
        statements: what it may do, nothing else.
        source_arn: pattern of the ARNs on whose behalf the service may come; the whole account
            where None. `aws:SourceAccount` is always asked for.
        external_id: asked for instead by services that send no source (Firehose).
    """

    name: str
    service: str
    statements: tuple[Statement, ...]
    source_arn: str | None = None
    external_id: str | None = None


def trust(spec: RoleSpec, names: AwsNames) -> dict[str, Any]:
    """Who may assume the role: one service, and only on behalf of this account."""
    condition: dict[str, dict[str, str]]
    if spec.external_id is not None:
        condition = {"StringEquals": {"sts:ExternalId": spec.external_id}}
    else:
        condition = {"StringEquals": {"aws:SourceAccount": names.account}}
        if spec.source_arn is not None:
            condition["ArnLike"] = {"aws:SourceArn": spec.source_arn}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{spec.service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def permissions(spec: RoleSpec) -> dict[str, Any]:
    """What the role may do, as a policy document whose resources may still be outputs."""
    return {"Version": "2012-10-17", "Statement": [each.document() for each in spec.statements]}


def read_objects(sid: str, *places: Input[str]) -> tuple[Statement, ...]:
    """Read objects: `places` are bucket ARNs."""
    objects = tuple(_inside(place) for place in places)
    return (
        Statement(f"{sid}Objects", ("s3:GetObject", "s3:GetObjectVersion"), objects),
        Statement(f"{sid}List", ("s3:ListBucket", "s3:GetBucketLocation"), places),
    )


def write_objects(sid: str, *places: Input[str]) -> tuple[Statement, ...]:
    """Read, write and delete objects: `places` are bucket ARNs."""
    objects = tuple(_inside(place) for place in places)
    actions = (
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    )
    return (
        Statement(f"{sid}Objects", actions, objects),
        Statement(f"{sid}List", ("s3:ListBucket", "s3:GetBucketLocation"), places),
    )


def use_key(sid: str, *keys: Input[str]) -> Statement:
    """Encrypt and decrypt by KMS keys, given as ARNs."""
    actions = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey")
    return Statement(sid, actions, keys)


def grant_key(sid: str, *keys: Input[str]) -> Statement:
    """Let AWS services use a key for volumes: CreateGrant, for AWS resources only."""
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return Statement(sid, ("kms:CreateGrant",), keys, condition)


def pass_role(sid: str, roles: Sequence[Input[str]], service: str) -> Statement:
    """Hand roles to one service, and to no other."""
    condition = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    return Statement(sid, ("iam:PassRole",), tuple(roles), condition)


def write_logs(sid: str, *groups: str) -> Statement:
    """Write to log groups, given as ARNs without `:*`."""
    actions = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
    return Statement(sid, actions, tuple(f"{group}:*" for group in groups))


def _inside(place: Input[str]) -> Input[str]:
    if isinstance(place, str):
        return f"{place}/*"
    from pulumi import Output

    return Output.concat(place, "/*")
