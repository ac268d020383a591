"""Reads policies before AWS does, and refuses what a strict security team would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_infra.components.aws.iam.roles import RoleSpec, permissions, trust
from mlops_infra.errors import InputError
from mlops_infra.plan.aws.names import AwsNames

NO_RESOURCE = frozenset(
    {
        # AWS's service authorization reference lists no resource type for these
        "autoscaling:DescribeAutoScalingGroups",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
        "logs:DescribeLogGroups",
        "s3:GetAccountPublicAccessBlock",
        "s3:ListAllMyBuckets",
        "sagemaker:ListFeatureGroups",
        "sagemaker:Search",
        "sts:GetCallerIdentity",
        "xray:GetSamplingRules",
        "xray:GetSamplingStatisticSummaries",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)
"""Actions that may stand beside `Resource: "*"`, for they work on no resource of their own."""

NARROWING = frozenset(
    {
        "aws:SourceAccount",
        "aws:SourceArn",
        "sts:ExternalId",
        "token.actions.githubusercontent.com:sub",
        "aws:PrincipalOrgID",
    }
)
"""Condition keys that keep a confused deputy out."""

_NOT = ("NotAction", "NotResource", "NotPrincipal")


def require_least_privilege(spec: RoleSpec, names: AwsNames) -> None:
    """Refuse a role that may do more than its task needs.

    Raises:
        InputError: naming every finding.
    """
    found = [*judge_permissions(permissions(spec)), *judge_trust(trust(spec, names))]
    if found:
        raise InputError(
            f"role '{spec.name}' requests too much: {'; '.join(found)}",
            hint="name the actions and resources that are needed",
        )


def judge_permissions(document: Mapping[str, Any]) -> list[str]:
    """What is too wide in an identity policy; empty where nothing is."""
    found: list[str] = []
    for statement in _listed(document.get("Statement")):
        sid = str(statement.get("Sid", "?"))
        if statement.get("Effect") == "Deny":
            continue
        found += [f"{sid}: {key} allows everything not named" for key in _NOT if key in statement]
        actions = [str(each) for each in _listed(statement.get("Action"))]
        resources = _listed(statement.get("Resource"))
        found += [f"{sid}: action {a} has a wildcard" for a in actions if "*" in a or "?" in a]
        if not actions or not resources:
            found.append(f"{sid}: needs actions and resources")
        found += _judge_everything(sid, actions, resources)
        if "iam:PassRole" in actions:
            found += _judge_pass_role(sid, actions, resources, statement)
    return found


def _judge_everything(sid: str, actions: list[str], resources: list[Any]) -> list[str]:
    if not any(isinstance(each, str) and _everything(each) for each in resources):
        return []
    wide = [action for action in actions if action not in NO_RESOURCE]
    return [f"{sid}: {action} on every resource" for action in wide]


def _judge_pass_role(
    sid: str, actions: list[str], resources: list[Any], statement: Mapping[str, Any]
) -> list[str]:
    found = []
    if len(actions) > 1:
        found.append(f"{sid}: iam:PassRole stands alone, its condition is for it only")
    keys = {key for keys in statement.get("Condition", {}).values() for key in keys}
    if "iam:PassedToService" not in keys:
        found.append(f"{sid}: iam:PassRole without iam:PassedToService")
    if any(isinstance(each, str) and each.endswith(("role/*", ":*")) for each in resources):
        found.append(f"{sid}: iam:PassRole on every role")
    return found


def judge_trust(document: Mapping[str, Any]) -> list[str]:
    """Who may assume the role too easily; empty where nobody may."""
    found: list[str] = []
    for statement in _listed(document.get("Statement")):
        principal = statement.get("Principal")
        if principal == "*" or (isinstance(principal, Mapping) and "*" in _flat(principal)):
            found.append("trust: everybody may assume it")
        keys = {key for keys in statement.get("Condition", {}).values() for key in keys}
        if not keys & NARROWING:
            found.append("trust: no aws:SourceAccount, aws:SourceArn or sts:ExternalId")
    return found


def _flat(principal: Mapping[str, Any]) -> list[Any]:
    return [each for value in principal.values() for each in _listed(value)]


def _everything(resource: str) -> bool:
    """`*`, or an ARN that names a service and nothing in it (`arn:aws:s3:::*`)."""
    return resource == "*" or resource.split(":", 5)[-1] == "*"


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
