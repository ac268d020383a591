"""Security groups: jobs and endpoints call out, only they reach the stores, nobody calls in.

Rules are written into the groups, not beside them: a rule that somebody adds by hand is then a
difference that the next preview shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import CustomTimeouts, Input, ResourceOptions
from pulumi_aws.ec2 import (
    SecurityGroup,
    SecurityGroupEgressArgs,
    SecurityGroupIngressArgs,
)

from mlops_infra.components.aws.network.vpc import Vpcs
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames

HTTPS, POSTGRESQL, VALKEY = 443, 5432, 6379
NAMES = {HTTPS: "TLS", POSTGRESQL: "PostgreSQL", VALKEY: "Valkey"}


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a stack; one that nothing would use is not made."""

    jobs: SecurityGroup
    endpoints: SecurityGroup
    stores: SecurityGroup | None
    services: SecurityGroup | None


def security_groups(
    config: AwsConfig, names: AwsNames, network: Vpcs, *, parent: pulumi.Resource
) -> Groups:
    """Make the groups in the network's VPC."""

    def group(
        what: str,
        description: str,
        ingress: Sequence[SecurityGroupIngressArgs] = (),
        egress: Sequence[SecurityGroupEgressArgs] = (),
    ) -> SecurityGroup:
        return SecurityGroup(
            what,
            name=names.of("security-group", what),
            description=description,
            vpc_id=network.vpc_id,
            ingress=list(ingress),
            egress=list(egress),
            tags={"Name": names.of("security-group", what)},
            # an interface of a job that has just ended still holds the group
            opts=ResourceOptions(parent=parent, custom_timeouts=CustomTimeouts(delete="90m")),
        )

    out = _out(config, network)
    jobs = group("jobs", "Training, processing, ETL and functions", egress=out)
    endpoints = group("endpoints", "Serving containers", egress=out)
    callers = [jobs.id, endpoints.id]
    services = stores = None
    if config.vpc.interface_endpoints:
        admitted = [_in(HTTPS, callers, "TLS from jobs and endpoints")]
        services = group("services", "Private endpoints of AWS services", admitted)
    wanted = {POSTGRESQL: config.stores.sql, VALKEY: config.stores.kv}
    if any(store is not None for store in wanted.values()):
        admitted = [
            _in(port, callers, f"{NAMES[port]} from jobs and endpoints")
            for port, store in wanted.items()
            if store is not None
        ]
        stores = group("stores", "PostgreSQL and Valkey", admitted)
    return Groups(jobs, endpoints, stores, services)


def _in(port: int, groups: list[pulumi.Output[str]], why: str) -> SecurityGroupIngressArgs:
    return SecurityGroupIngressArgs(
        protocol="tcp",
        from_port=port,
        to_port=port,
        security_groups=groups,
        description=why,
    )


def _out(config: AwsConfig, network: Vpcs) -> list[SecurityGroupEgressArgs]:
    """To AWS's services and the stores; to the world only where a NAT leads there."""
    found = [
        _to(port, f"{what} within the VPC", cidr_blocks=[config.vpc.cidr])
        for port, what in NAMES.items()
    ]
    if network.prefix_lists:
        found.append(_to(HTTPS, "S3 by its gateway", prefix_list_ids=network.prefix_lists))
    if config.vpc.id or config.vpc.nat_gateways:
        # in the site's own VPC its routes decide where that leads; S3's addresses are not known
        found.append(_to(HTTPS, "TLS wherever routes lead", cidr_blocks=["0.0.0.0/0"]))
    return found


def _to(
    port: int,
    why: str,
    *,
    cidr_blocks: Sequence[Input[str]] | None = None,
    prefix_list_ids: Sequence[Input[str]] | None = None,
) -> SecurityGroupEgressArgs:
    return SecurityGroupEgressArgs(
        protocol="tcp",
        from_port=port,
        to_port=port,
        description=why,
        cidr_blocks=cidr_blocks,
        prefix_list_ids=prefix_list_ids,
    )
