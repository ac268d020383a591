"""The ways out of a private network: NAT gateways and private endpoints of AWS's services."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.ec2 import (
    Eip,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    RouteTableAssociation,
    Subnet,
    Vpc,
    VpcEndpoint,
)

from mlops_infra.components.aws.network.subnets import PUBLIC_FROM, subnet_range
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames

SERVICES = (
    "athena", "ecr.api", "ecr.dkr", "events", "glue", "kms", "logs", "monitoring",
    "sagemaker.api", "sagemaker.featurestore-runtime", "sagemaker.runtime", "secretsmanager",
    "sns", "sqs", "sts",
)  # fmt: skip
"""What jobs, endpoints and functions of the platform call from inside the VPC."""


def nat_exits(
    config: AwsConfig,
    names: AwsNames,
    vpc: Vpc,
    tables: Sequence[RouteTable],
    zones: Sequence[str],
    *,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Public subnets with NAT gateways, and the private routes to them; nothing where none."""
    count = min(config.vpc.nat_gateways, len(zones))
    if count == 0:
        return []
    below = ResourceOptions(parent=parent)
    internet = InternetGateway("internet", vpc_id=vpc.id, opts=below)
    table = RouteTable("public", vpc_id=vpc.id, opts=below)
    out = Route(
        "public",
        route_table_id=table.id,
        destination_cidr_block="0.0.0.0/0",
        gateway_id=internet.id,
        opts=below,
    )
    gateways = []
    for index, zone in enumerate(zones[:count]):
        subnet = Subnet(
            f"public-{zone}",
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=subnet_range(config.vpc.cidr, PUBLIC_FROM + index),
            map_public_ip_on_launch=False,
            tags={"Name": f"{names.base}-public-{zone}"},
            opts=below,
        )
        RouteTableAssociation(
            f"public-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=below
        )
        address = Eip(f"nat-{zone}", domain="vpc", opts=below)
        gateways.append(
            NatGateway(
                f"nat-{zone}",
                subnet_id=subnet.id,
                allocation_id=address.id,
                opts=ResourceOptions(parent=parent, depends_on=[out]),
            )
        )
    return [
        Route(
            f"private-{zone}",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            # zones without a gateway of their own share the others
            nat_gateway_id=gateways[index % count].id,
            opts=below,
        )
        for index, (zone, table) in enumerate(zip(zones, tables, strict=True))
    ]


def private_endpoints(
    config: AwsConfig,
    names: AwsNames,
    *,
    vpc_id: pulumi.Input[str],
    subnet_ids: Sequence[pulumi.Input[str]],
    group: pulumi.Input[str],
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Interface endpoints of the services that the platform calls; each costs by hour and zone."""
    return [
        VpcEndpoint(
            service.replace(".", "-"),
            vpc_id=vpc_id,
            service_name=f"com.amazonaws.{config.region}.{service}",
            vpc_endpoint_type="Interface",
            subnet_ids=list(subnet_ids),
            security_group_ids=[group],
            private_dns_enabled=True,
            tags={"Name": names.of("endpoint", service.replace(".", "-"))},
            opts=ResourceOptions(parent=parent),
        )
        for service in SERVICES
    ]
