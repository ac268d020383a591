"""What the program declares for the aws stacks, under the recording monitor and without AWS."""

from __future__ import annotations

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mlops_infra.components.aws.iam.lint import require_least_privilege
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement, pass_role
from mlops_infra.components.aws.network.subnets import subnet_range
from mlops_infra.errors import MlopsError
from mlops_infra.plan import CONTRACT
from mlops_infra.plan.aws.names import AwsNames
from tests import golden
from tests.graph import aws_rules
from tests.graph.conftest import settings
from tests.graph.recording import Graph, Node

STACKS = ("aws-dev", "aws-prod")
each_stack = pytest.mark.parametrize("stack", STACKS)
NAMES = AwsNames("mlops", "test", "111122223333", "eu-west-1")


def changed(stack: str, **aws: Any) -> dict[str, Any]:
    """The section `aws` of a stack with some of its keys replaced."""
    return {"aws": {**settings(stack)["aws"], **aws}}


@each_stack
def test_the_graph_is_the_reviewed_one(stack: str, graph: Callable[..., Graph]) -> None:
    golden.compare(Path(__file__).parent / "golden" / f"{stack}.json", graph(stack).golden())


@each_stack
def test_one_provider_pinned_to_its_account(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    (provider,) = recorded.of("pulumi:providers:aws")
    asked = settings(stack)["aws"]
    assert json.loads(provider.inputs["allowedAccountIds"]) == [asked["account"]]
    assert provider.inputs["region"] == asked["region"]
    used = {node.provider.rpartition("::")[0] for node in aws_rules.aws(recorded)}
    assert used == {provider.urn}


@each_stack
def test_everything_taggable_is_tagged(stack: str, graph: Callable[..., Graph]) -> None:
    recorded = graph(stack)
    wanted = {
        **settings(stack)["aws"]["tags"],
        "mlops-infra:stack": stack,
        "mlops-infra:environment": settings(stack)["environment"],
        "mlops-infra:managed-by": "mlops-infra",
    }
    assert list(aws_rules.untagged(recorded, wanted)) == []
    tagged = {node.type for node in aws_rules.aws(recorded) if aws_rules.takes_tags(node.type)}
    assert len(tagged) > 15


@each_stack
@pytest.mark.parametrize(
    "rule",
    [
        aws_rules.unencrypted,
        aws_rules.open_buckets,
        aws_rules.too_long,
        aws_rules.undecided,
        aws_rules.wide_roles,
        aws_rules.reachable,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_rules_of_a_strict_team_hold(
    stack: str, rule: Callable[[Graph], Any], graph: Callable[..., Graph]
) -> None:
    assert list(rule(graph(stack))) == []


BLIND = [
    ("aws:kms/key:Key", "tags", {}, "untagged"),
    ("aws:cloudwatch/logGroup:LogGroup", "kmsKeyId", None, "unencrypted"),
    ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "blockPublicAcls", False, "open"),
    ("aws:s3/bucketPolicy:BucketPolicy", "policy", '{"Statement": []}', "open"),
    ("aws:iam/role:Role", "name", "r" * 65, "too_long"),
    ("aws:rds/instance:Instance", "publiclyAccessible", True, "reachable"),
    (
        "aws:ec2/securityGroup:SecurityGroup",
        "ingress",
        [{"cidrBlocks": ["0.0.0.0/0"], "description": "all"}],
        "reachable",
    ),
]


@pytest.mark.parametrize(("kind", "key", "value", "rule"), BLIND, ids=[b[1] for b in BLIND])
def test_the_rules_see_what_they_are_for(
    kind: str, key: str, value: Any, rule: str, graph: Callable[..., Graph]
) -> None:
    recorded = graph("aws-prod")
    broken = tuple(
        Node(n.urn, {**n.raw, "object": {**n.inputs, key: value}}) if n.type == kind else n
        for n in recorded.nodes
    )
    judge = {
        "untagged": lambda g: aws_rules.untagged(g, {}),
        "unencrypted": aws_rules.unencrypted,
        "open": aws_rules.open_buckets,
        "too_long": aws_rules.too_long,
        "reachable": aws_rules.reachable,
    }[rule]
    assert list(judge(Graph(broken, {}, 0)))


@each_stack
def test_arns_are_of_accounts_that_the_file_names(stack: str, graph: Callable[..., Graph]) -> None:
    asked = settings(stack)["aws"]
    known = set(re.findall(r"[0-9]{12}", str(asked)))
    assert list(aws_rules.foreign(graph(stack), asked["account"], known)) == []


@each_stack
def test_keys_rotate_and_say_who_may_use_them(stack: str, graph: Callable[..., Graph]) -> None:
    keys = graph(stack).of("aws:kms/key:Key")
    assert {key.name for key in keys} == {"data-key", "logs-key"}
    for key in keys:
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["deletionWindowInDays"] == 30
        for statement in json.loads(key.inputs["policy"])["Statement"]:
            assert "*" not in json.dumps([statement["Principal"], statement["Action"]])
            assert "AWS" in statement["Principal"] or statement["Condition"]


def test_dev_has_nothing_that_costs_by_the_hour(graph: Callable[..., Graph]) -> None:
    """A NAT gateway or ten private endpoints would cost more than the model."""
    recorded = graph("aws-dev")
    assert not recorded.of("aws:ec2/natGateway:NatGateway")
    assert not recorded.of("aws:rds/instance:Instance")
    kinds = [n.inputs["vpcEndpointType"] for n in recorded.of("aws:ec2/vpcEndpoint:VpcEndpoint")]
    assert kinds == ["Gateway"]


def test_a_nat_gateway_stands_in_each_zone_that_asks(graph: Callable[..., Graph]) -> None:
    recorded = graph("aws-dev", **changed("aws-dev", vpc={"natGateways": 2}))
    assert len(recorded.of("aws:ec2/natGateway:NatGateway")) == 2
    ranges = [n.inputs["cidrBlock"] for n in recorded.of("aws:ec2/subnet:Subnet")]
    assert len(set(ranges)) == 4
    assert not list(aws_rules.reachable(recorded))


def test_an_existing_vpc_stays_as_it_is(graph: Callable[..., Graph]) -> None:
    subnets = ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"]
    vpc = {"id": "vpc-0a1b2c3d4e5f60718", "subnets": subnets, "cidr": "10.20.0.0/16"}
    recorded = graph("aws-dev", **changed("aws-dev", vpc=vpc))
    made = Counter(n.type for n in aws_rules.aws(recorded) if n.type.startswith("aws:ec2/"))
    assert made == {"aws:ec2/securityGroup:SecurityGroup": 2}
    groups = recorded.of("aws:ec2/securityGroup:SecurityGroup")
    assert {group.inputs["vpcId"] for group in groups} == {vpc["id"]}


def test_data_is_held_in_prod_and_let_go_in_dev(graph: Callable[..., Graph]) -> None:
    held = {n.name: n.raw for n in graph("aws-prod").of(aws_rules.BUCKET)}
    assert all(raw["protect"] and raw["retainOnDelete"] for raw in held.values())
    let_go = {n.name: n.raw for n in graph("aws-dev").of(aws_rules.BUCKET)}
    assert not any(raw["protect"] or raw["retainOnDelete"] for raw in let_go.values())
    (database,) = graph("aws-prod").of("aws:rds/instance:Instance")
    assert database.raw["protect"] is True
    assert database.inputs["skipFinalSnapshot"] is False
    assert database.inputs["finalSnapshotIdentifier"] == "mlops-aws-prod-sql-final"


def test_one_bucket_can_be_let_go_by_name(graph: Callable[..., Graph]) -> None:
    name = "mlops-aws-prod-results-444455556666-ap-northeast-2"
    recorded = graph("aws-prod", allowReplace=[f"s3/Bucket/{name}"])
    held = {n.name: n.raw["protect"] for n in recorded.of(aws_rules.BUCKET)}
    assert [each for each, protected in held.items() if not protected] == ["results"]


def test_no_password_is_in_the_graph(graph: Callable[..., Graph]) -> None:
    (database,) = graph("aws-prod").of("aws:rds/instance:Instance")
    assert database.inputs["manageMasterUserPassword"] is True
    assert "password" not in {key.lower() for key in database.inputs}
    (user,) = graph("aws-prod").of("aws:elasticache/user:User")
    assert user.inputs["authenticationMode"] == {"type": "iam"}


def test_every_role_of_prod_has_the_sites_boundary(graph: Callable[..., Graph]) -> None:
    roles = graph("aws-prod").of("aws:iam/role:Role")
    boundary = settings("aws-prod")["aws"]["permissionsBoundary"]
    assert {role.inputs["permissionsBoundary"] for role in roles} == {boundary}


@each_stack
def test_the_contract_is_exported_whole(stack: str, graph: Callable[..., Graph]) -> None:
    outputs = graph(stack).outputs
    assert set(CONTRACT) <= set(outputs)
    assert outputs["profile"] == "aws"
    assert outputs["artifact_root"].startswith(f"s3://mlops-{stack}-artifacts-")


@each_stack
def test_no_two_resources_share_a_urn(stack: str, graph: Callable[..., Graph]) -> None:
    urns = [node.urn for node in graph(stack).nodes]
    assert len(urns) == len(set(urns))


S3 = "arn:aws:s3:::mlops-test-raw"
TOO_WIDE = [
    (Statement("All", ("s3:*",), (S3,)), "wildcard"),
    (Statement("Star", ("s3:Get?bject",), (S3,)), "wildcard"),
    (Statement("Everywhere", ("s3:GetObject",), ("*",)), "on every resource"),
    (Statement("Service", ("s3:GetObject",), ("arn:aws:s3:::*",)), "on every resource"),
    (Statement("Pass", ("iam:PassRole",), (NAMES.arn("iam", "role/x"),)), "PassedToService"),
    (pass_role("AnyRole", [NAMES.arn("iam", "role/*")], "sagemaker"), "every role"),
    (Statement("Nothing", (), (S3,)), "needs actions"),
]


@pytest.mark.parametrize(("statement", "why"), TOO_WIDE, ids=[s.sid for s, _ in TOO_WIDE])
def test_a_role_that_asks_for_too_much_is_refused(statement: Statement, why: str) -> None:
    with pytest.raises(MlopsError, match=why):
        require_least_privilege(RoleSpec("greedy", "sagemaker", (statement,)), NAMES)


def test_a_mistake_in_the_aws_section_is_told_with_its_path(graph: Callable[..., Graph]) -> None:
    with pytest.raises(pulumi.RunError, match=r"aws\.kms\.deletionWindowDays"):
        graph("aws-dev", **changed("aws-dev", kms={"deletionWindowDays": 3}))


def test_subnets_lie_within_the_vpc_and_apart() -> None:
    for length in range(16, 25):
        whole = ipaddress.IPv4Network(f"10.0.0.0/{length}")
        found = [ipaddress.IPv4Network(subnet_range(str(whole), n)) for n in range(16)]
        assert all(each.subnet_of(whole) for each in found)
        assert not any(a.overlaps(b) for a in found for b in found if a is not b)
