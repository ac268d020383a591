"""Records of accepted and refused connections of the stack's own VPC."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.ec2 import FlowLog

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement

INTERVAL_SECONDS = 600
"""Ten minutes: the shorter of the two choices multiplies the cost."""


def flow_logs(foundation: Foundation, *, parent: pulumi.Resource) -> None:
    """Record where the configuration asks for it and the VPC is the stack's own."""
    vpc = foundation.config.vpc
    if vpc.id is not None or not vpc.flow_logs:
        return
    group = foundation.log_group("flow", parent=parent)
    arn = foundation.log_group_arn("flow")
    write = Statement(
        "WriteFlowLogs",
        ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"),
        (arn, f"{arn}:*"),
    )
    source = foundation.names.arn("ec2", "vpc-flow-log/*")
    spec = RoleSpec("flow-logs", "vpc-flow-logs", (write,), source_arn=source)
    role, policy = foundation.role_with_policy(spec, parent=parent)
    FlowLog(
        "flow",
        vpc_id=foundation.network.vpc_id,
        traffic_type="ALL",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        max_aggregation_interval=INTERVAL_SECONDS,
        opts=ResourceOptions(parent=parent, depends_on=[policy]),
    )
