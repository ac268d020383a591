"""What a strict team asks of a recorded AWS graph. Each rule gives the resources that break it."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from mlops_infra import contract
from mlops_infra.components.aws.foundation.tags import FEW_TAGS
from mlops_infra.components.aws.iam.lint import judge_permissions, judge_trust
from mlops_infra.plan.aws.names import LIMITS
from mlops_infra.plan.aws.stateful import STATEFUL
from tests.graph.recording import Graph, Node

Broken = Iterator[str]

ENCRYPTED_BY = {
    "aws:cloudwatch/logGroup:LogGroup": "kmsKeyId",
    "aws:codebuild/project:Project": "encryptionKey",
    "aws:elasticache/replicationGroup:ReplicationGroup": "kmsKeyId",
    "aws:kinesis/stream:Stream": "kmsKeyId",
    "aws:lambda/function:Function": "kmsKeyArn",
    "aws:rds/instance:Instance": "kmsKeyId",
    "aws:scheduler/schedule:Schedule": "kmsKeyArn",
    "aws:sns/topic:Topic": "kmsMasterKeyId",
    "aws:sqs/queue:Queue": "kmsMasterKeyId",
}
"""Type to the property that names its key."""

ENCRYPTED_WITHIN = {
    "aws:athena/workgroup:Workgroup": "kmsKeyArn",
    "aws:codepipeline/pipeline:Pipeline": "encryptionKey",
    "aws:ecr/repository:Repository": "kmsKey",
    "aws:glue/securityConfiguration:SecurityConfiguration": "kmsKeyArn",
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": "kmsKeyArn",
    "aws:sagemaker/featureGroup:FeatureGroup": "kmsKeyId",
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": "kmsKeyId",
}
"""Type to a property somewhere inside of it that names its key."""

NAMED = {
    "aws:cloudwatch/eventRule:EventRule": ("name", "rule"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", "alarm"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("replicationGroupId", "cluster"),
    "aws:elasticache/user:User": ("userId", "cluster"),
    "aws:elasticache/userGroup:UserGroup": ("userGroupId", "cluster"),
    "aws:glue/crawler:Crawler": ("name", "crawler"),
    "aws:iam/role:Role": ("name", "role"),
    "aws:iam/rolePolicy:RolePolicy": ("name", "policy"),
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": ("name", "firehose"),
    "aws:lambda/function:Function": ("name", "lambda"),
    "aws:rds/instance:Instance": ("identifier", "sql"),
    "aws:s3/bucket:Bucket": ("bucket", "bucket"),
    "aws:sagemaker/endpoint:Endpoint": ("name", "endpoint"),
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": ("name", "endpoint-config"),
    "aws:sagemaker/featureGroup:FeatureGroup": ("featureGroupName", "feature-group"),
    "aws:sagemaker/model:Model": ("name", "model"),
    "aws:sagemaker/monitoringSchedule:MonitoringSchedule": ("name", "monitor"),
    "aws:scheduler/schedule:Schedule": ("name", "schedule"),
    "aws:sqs/queue:Queue": ("name", "queue"),
}
"""Type to its name's property and kind."""

BUCKET = "aws:s3/bucket:Bucket"


def aws(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.type.startswith("aws:")]


def takes_tags(type_token: str) -> bool:
    """Asked of the class that pulumi_aws has for the type."""
    _, module, kind = type_token.split(":")
    package = module.partition("/")[0]
    package = {"lambda": "lambda_", "cfg": "cfg"}.get(package, package)
    found = getattr(importlib.import_module(f"pulumi_aws.{package}"), kind)
    return "tags" in inspect.signature(found._internal_init).parameters


def untagged(graph: Graph, wanted: dict[str, str]) -> Broken:
    for node in aws(graph):
        if not takes_tags(node.type):
            continue
        tags = node.inputs.get("tags", {})
        mine = {k: v for k, v in wanted.items() if node.type not in FEW_TAGS or ":" in k}
        if tags.get(contract.STACK_TAG) is None or not mine.items() <= tags.items():
            yield f"{node.name}: {tags}"


def unencrypted(graph: Graph) -> Broken:
    for node in aws(graph):
        if node.type in ENCRYPTED_BY and not node.inputs.get(ENCRYPTED_BY[node.type]):
            yield f"{node.urn}: no {ENCRYPTED_BY[node.type]}"
        within = ENCRYPTED_WITHIN.get(node.type)
        if within and f'"{within}":' not in json.dumps(node.inputs):
            yield f"{node.urn}: no {within}"


def open_buckets(graph: Graph) -> Broken:
    """Buckets without the block, TLS, ownership, versions, life cycle, key and events."""

    def beside(kind: str) -> dict[str, dict[str, Any]]:
        short = kind[0].lower() + kind[1:]
        return {n.inputs["bucket"]: n.inputs for n in graph.of(f"aws:s3/{short}:{kind}")}

    parts = {
        kind: beside(kind)
        for kind in (
            "BucketPublicAccessBlock",
            "BucketOwnershipControls",
            "BucketServerSideEncryptionConfiguration",
            "BucketVersioning",
            "BucketLifecycleConfiguration",
            "BucketNotification",
            "BucketPolicy",
        )
    }
    for bucket in graph.of(BUCKET):
        name = bucket.inputs["bucket"]
        yield from (f"{name}: no {kind}" for kind, found in parts.items() if name not in found)
        block = parts["BucketPublicAccessBlock"].get(name, {})
        switches = [value for key, value in block.items() if key != "bucket"]
        if switches != [True] * 4:
            yield f"{name}: public access {block}"
        document = json.loads(parts["BucketPolicy"][name]["policy"])
        if not any(_tls_only(each, name) for each in document["Statement"]):
            yield f"{name}: answers in the clear"
        for each in document["Statement"]:
            if each["Effect"] == "Allow" and "*" in json.dumps(each["Principal"]):
                yield f"{name}: everybody may {each['Action']}"


def _tls_only(statement: dict[str, Any], name: str) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and sorted(statement["Resource"]) == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    )


def too_long(graph: Graph) -> Broken:
    for node in aws(graph):
        if node.type in NAMED:
            key, kind = NAMED[node.type]
            name = node.inputs.get(key)
            if not name or len(name) > LIMITS[kind]:
                yield f"{node.urn}: {name}"


def undecided(graph: Graph) -> Broken:
    """Stateful things of which nobody said whether they may be deleted."""
    for node in aws(graph):
        if node.type in STATEFUL and not {"protect", "retainOnDelete"} <= set(node.raw):
            yield node.urn


def wide_roles(graph: Graph) -> Broken:
    for node in graph.of("aws:iam/rolePolicy:RolePolicy"):
        for found in judge_permissions(json.loads(node.inputs["policy"])):
            yield f"{node.name}: {found}"
    for node in graph.of("aws:iam/role:Role"):
        for found in judge_trust(json.loads(node.inputs["assumeRolePolicy"])):
            yield f"{node.name}: {found}"
    if graph.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        yield "a policy of AWS's own is attached: it grows without us"


def reachable(graph: Graph) -> Broken:
    """Anything that the world may call, or that gets a public address."""
    yield from _admitting(graph)
    for subnet in graph.of("aws:ec2/subnet:Subnet"):
        if subnet.inputs["mapPublicIpOnLaunch"] is not False:
            yield f"{subnet.name}: gives public addresses"
    for database in graph.of("aws:rds/instance:Instance"):
        if database.inputs["publiclyAccessible"] is not False:
            yield f"{database.name}: is public"


def _admitting(graph: Graph) -> Broken:
    for group in graph.of("aws:ec2/securityGroup:SecurityGroup"):
        for rule in group.inputs.get("ingress", []):
            if rule.get("cidrBlocks") or rule.get("ipv6CidrBlocks"):
                yield f"{group.name}: admits {rule}"
            if not rule.get("description"):
                yield f"{group.name}: a rule without a reason"
    for group in graph.of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"):
        if group.inputs.get("ingress") or group.inputs.get("egress"):
            yield f"{group.name}: the default group admits somebody"


def foreign(graph: Graph, own: str, known: set[str]) -> Broken:
    """ARNs of accounts that the configuration never names."""
    for node in aws(graph):
        for account in re.findall(r"arn:aws:[a-z0-9-]*:[a-z0-9-]*:([0-9]{12}):", str(node.inputs)):
            if account != own and account not in known:
                yield f"{node.urn}: {account}"
