"""Where jobs, endpoints and stores run: the site's VPC by id, or one of the stack's own.

The own one has private subnets and no way out: S3 is reached by a gateway endpoint, which costs
nothing; NAT and interface endpoints, which cost more than a small model, only where asked for.
"""

from __future__ import annotations

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.ec2 import (
    DefaultSecurityGroup,
    RouteTable,
    RouteTableAssociation,
    Subnet,
    Vpc,
    VpcEndpoint,
)

from mlops_infra.components.aws.network.exits import nat_exits
from mlops_infra.components.aws.network.subnets import subnet_range
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames


class Vpcs(pulumi.ComponentResource):
    """`vpc_id`, `subnet_ids`, and `ready`: what must stand before a job can reach S3."""

    vpc_id: pulumi.Input[str]
    subnet_ids: tuple[pulumi.Input[str], ...]
    prefix_lists: list[pulumi.Input[str]]

    def __init__(self, config: AwsConfig, names: AwsNames, *, opts: ResourceOptions) -> None:
        super().__init__("mlops-infra:aws:Network", "network", {}, opts)
        self._config = config
        self._names = names
        self.ready: list[pulumi.Resource] = []
        self.prefix_lists = []
        if config.vpc.id is not None:
            self.vpc_id = config.vpc.id
            self.subnet_ids = tuple(config.vpc.subnets)
        else:
            self._make()
        self.register_outputs({})

    def _make(self) -> None:
        below = ResourceOptions(parent=self)
        vpc = Vpc(
            "vpc",
            cidr_block=self._config.vpc.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": self._names.base},
            opts=below,
        )
        # whatever forgets its group gets the default one: it must admit nobody
        DefaultSecurityGroup("default-group", vpc_id=vpc.id, ingress=[], egress=[], opts=below)
        zones = zones_of(self._config)
        private = [self._subnet(vpc.id, zone, index) for index, zone in enumerate(zones)]
        tables = [self._table(vpc.id, zone) for zone in zones]
        for zone, subnet, table in zip(zones, private, tables, strict=True):
            RouteTableAssociation(
                f"private-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=below
            )
        gateway = VpcEndpoint(
            "s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{self._config.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags={"Name": self._names.of("endpoint", "s3")},
            opts=below,
        )
        self.ready.append(gateway)
        self.prefix_lists = [gateway.prefix_list_id]
        self.ready += nat_exits(self._config, self._names, vpc, tables, zones, parent=self)
        self.vpc_id = vpc.id
        self.subnet_ids = tuple(subnet.id for subnet in private)

    def _subnet(self, vpc: Output[str], zone: str, index: int) -> Subnet:
        return Subnet(
            f"private-{zone}",
            vpc_id=vpc,
            availability_zone=zone,
            cidr_block=subnet_range(self._config.vpc.cidr, index),
            map_public_ip_on_launch=False,
            tags={"Name": f"{self._names.base}-private-{zone}"},
            # interfaces of SageMaker and Lambda outlive their owners by up to an hour
            opts=ResourceOptions(parent=self, custom_timeouts=pulumi.CustomTimeouts(delete="90m")),
        )

    def _table(self, vpc: Output[str], zone: str) -> RouteTable:
        name = f"{self._names.base}-private-{zone}"
        return RouteTable(
            f"private-{zone}",
            vpc_id=vpc,
            tags={"Name": name},
            opts=ResourceOptions(parent=self),
        )


_FIRST_TWO = {"ap-northeast-1": "ac", "ca-central-1": "ab"}
"""Tokyo has no zone b for accounts made after 2011."""


def zones_of(config: AwsConfig) -> tuple[str, ...]:
    """Zones of a new VPC: those of the configuration, or the region's first two."""
    if config.zones:
        return config.zones
    return tuple(f"{config.region}{letter}" for letter in _FIRST_TWO.get(config.region, "ab"))
