"""Which parts of an AWS resource cost money, and how much of each a month has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Something that AWS puts on the bill.

    Args:
        item: key of the price table.
        quantity: how many at the same time (machines, zones); for what is paid by use, how much of
            the unit one hour or one request takes.
        size: where the item has sizes.
        by_use: the sum depends on how much it is used, which nobody knows beforehand.
        note: for the reader.
    """

    item: str
    quantity: float = 1
    size: str | None = None
    by_use: bool = False
    note: str = ""


def parts(type_token: str, inputs: Inputs) -> tuple[Part, ...] | None:
    """The parts of one resource; empty where it costs nothing, None where nobody knows."""
    known = _PARTS.get(type_token)
    if known is not None:
        return known(inputs)
    return () if type_token in FREE or type_token.startswith(_FREE_PREFIXES) else None


def _endpoint(inputs: Inputs) -> tuple[Part, ...]:
    found: list[Part] = []
    variants = [*inputs.get("productionVariants", ()), *inputs.get("shadowProductionVariants", ())]
    for variant in variants:
        serverless = variant.get("serverlessConfig")
        name = str(variant.get("variantName", ""))
        if serverless:
            memory = float(_one(serverless).get("memorySizeInMb", 0)) / 1024
            found.append(
                Part("sagemaker-serverless", memory, by_use=True, note=f"{name}: GB of memory")
            )
        else:
            count = float(variant.get("initialInstanceCount", 1))
            size = str(variant.get("instanceType", ""))
            found.append(
                Part("sagemaker-instance", count, size, note=f"{name}: {count:g} x {size}")
            )
    return (*found, Part("sagemaker-endpoint-data", by_use=True, note="requests and answers"))


def _glue_job(inputs: Inputs) -> tuple[Part, ...]:
    worker = str(inputs.get("workerType", "G.1X"))
    dpu = _DPU.get(worker)
    if dpu is None:
        return (Part(f"glue-worker-{worker}", by_use=True),)
    total = float(inputs.get("numberOfWorkers", 2)) * dpu
    size = str(inputs.get("executionClass") or "STANDARD")
    return (Part("glue-dpu", total, size, by_use=True, note=f"{total:g} DPU while it runs"),)


def _vpc_endpoint(inputs: Inputs) -> tuple[Part, ...]:
    if inputs.get("vpcEndpointType") != "Interface":
        return ()
    zones = max(len(inputs.get("subnetIds", ())), 1)
    return (Part("vpc-interface-endpoint", zones, note=f"{zones} zones"),)


def _monitor(inputs: Inputs) -> tuple[Part, ...]:
    cluster = _one(_one(inputs.get("jobResources")).get("clusterConfig"))
    size, count = str(cluster.get("instanceType", "")), float(cluster.get("instanceCount", 1))
    return (Part("sagemaker-instance", count, size, by_use=True, note=f"{size} while it runs"),)


def _mwaa(inputs: Inputs) -> tuple[Part, ...]:
    return (Part("mwaa-environment", 1, str(inputs.get("environmentClass", "mw1.small"))),)


def _fixed(item: str) -> Callable[[Inputs], tuple[Part, ...]]:
    return lambda _inputs: (Part(item),)


def _by_use(item: str, note: str = "") -> Callable[[Inputs], tuple[Part, ...]]:
    return lambda _inputs: (Part(item, by_use=True, note=note),)


def _database(inputs: Inputs) -> tuple[Part, ...]:
    return (
        Part("rds-instance", 2 if inputs.get("multiAz") else 1, str(inputs.get("instanceClass"))),
    )


def _cache(inputs: Inputs) -> tuple[Part, ...]:
    nodes = float(inputs.get("numCacheClusters", 1))
    return (Part("elasticache-node", nodes, str(inputs.get("nodeType"))),)


def _one(value: Any) -> Mapping[str, Any]:
    """A block that AWS takes once; providers write it as a mapping or a list of one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    return value if isinstance(value, Mapping) else {}


_DPU = {"G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0, "G.025X": 0.25}
"""Data processing units of one Glue worker."""

_PARTS: Mapping[str, Callable[[Inputs], tuple[Part, ...]]] = {
    "aws:athena/workgroup:Workgroup": _by_use("athena-scan", "TB that queries read"),
    "aws:cloudwatch/logGroup:LogGroup": _by_use("cloudwatch-logs", "GB written"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _fixed("cloudwatch-alarm"),
    "aws:ec2/natGateway:NatGateway": lambda _: (
        Part("nat-gateway"),
        Part("nat-data", by_use=True),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:elasticache/replicationGroup:ReplicationGroup": _cache,
    "aws:glue/crawler:Crawler": _by_use("glue-crawler", "each run counts 10 minutes or more"),
    "aws:glue/job:Job": _glue_job,
    "aws:kms/key:Key": _fixed("kms-key"),
    "aws:mwaa/environment:Environment": _mwaa,
    "aws:rds/instance:Instance": _database,
    "aws:s3/bucket:Bucket": _by_use("s3-standard", "GB kept, old versions included"),
    "aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition": _monitor,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": _endpoint,
    "aws:secretsmanager/secret:Secret": _fixed("secret"),
}

_FREE_PREFIXES = ("aws:iam/", "aws:s3/bucket", "aws:ecr/lifecyclePolicy", "aws:lakeformation/")
FREE = frozenset(
    {
        "aws:apigatewayv2/authorizer:Authorizer",
        "aws:apigatewayv2/integration:Integration",
        "aws:apigatewayv2/route:Route",
        "aws:apigatewayv2/stage:Stage",
        "aws:appautoscaling/policy:Policy",
        "aws:appautoscaling/target:Target",
        "aws:athena/namedQuery:NamedQuery",
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws:cloudwatch/logStream:LogStream",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/route:Route",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:elasticache/subnetGroup:SubnetGroup",
        "aws:elasticache/user:User",
        "aws:elasticache/userGroup:UserGroup",
        "aws:glue/securityConfiguration:SecurityConfiguration",
        "aws:glue/trigger:Trigger",
        "aws:kms/alias:Alias",
        "aws:lambda/permission:Permission",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/subnetGroup:SubnetGroup",
        # what runs on them, and not they, is on the bill
        "aws:sagemaker/endpoint:Endpoint",
        "aws:sagemaker/model:Model",
        "aws:sagemaker/monitoringSchedule:MonitoringSchedule",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
        "aws:sqs/queuePolicy:QueuePolicy",
    }
)
"""Settings and connections of other things, which have no price of their own."""
