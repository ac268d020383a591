"""The foundation of the aws profile, built: keys, lake, network, and the object that names them."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions

from mlops_infra.components.aws.foundation.foundation import Foundation, Network
from mlops_infra.components.aws.foundation.provider import aws_provider
from mlops_infra.components.aws.foundation.retention import retaining
from mlops_infra.components.aws.foundation.tags import tagging
from mlops_infra.components.aws.kms import Keys
from mlops_infra.components.aws.lake.buckets import Lake
from mlops_infra.components.aws.network.exits import private_endpoints
from mlops_infra.components.aws.network.flow_logs import flow_logs
from mlops_infra.components.aws.network.groups import security_groups
from mlops_infra.components.aws.network.vpc import Vpcs
from mlops_infra.config import StackConfig
from mlops_infra.plan.aws.names import kit_tags, names_of, tags_of

TYPE = "mlops-infra:aws:Platform"


class AwsPlatform(pulumi.ComponentResource):
    """Parent of everything on AWS; carries provider, tags and protection down.

    `foundation` is what the other components of the profile take.

    Raises:
        InputError: a role asks for too much.
    """

    foundation: Foundation

    def __init__(self, settings: StackConfig, *, stack: str) -> None:
        assert settings.aws is not None  # noqa: S101 - a rule of the configuration
        config, names = settings.aws, names_of(settings, stack)
        provider = aws_provider(config, role_session=names.base)
        transforms = [
            tagging(tags_of(settings, stack), kit_tags(settings, stack)),
            retaining(protect=settings.protect, allow_replace=settings.allow_replace),
        ]
        opts = ResourceOptions(providers=[provider], transformations=transforms)
        super().__init__(TYPE, "platform", {}, opts)
        below = ResourceOptions(parent=self)
        keys = Keys(config.kms, names, opts=below)
        lake = Lake(config, names, data_key=keys.data_arn, opts=below)
        vpc = Vpcs(config, names, opts=below)
        groups = security_groups(config, names, vpc, parent=vpc)
        ready = [*lake.policies, *vpc.ready]
        if groups.services is not None:
            ready += private_endpoints(
                config,
                names,
                vpc_id=vpc.vpc_id,
                subnet_ids=vpc.subnet_ids,
                group=groups.services.id,
                parent=vpc,
            )
        self.foundation = Foundation(
            settings=settings,
            config=config,
            names=names,
            parent=self,
            data_key=keys.data_arn,
            logs_key=keys.logs_arn,
            network=Network(
                vpc.vpc_id,
                vpc.subnet_ids,
                groups.jobs.id,
                groups.endpoints.id,
                groups.stores.id if groups.stores is not None else None,
            ),
            buckets=lake.buckets,
            tags=tags_of(settings, stack),
            ready=tuple(ready),
        )
        flow_logs(self.foundation, parent=vpc)
        self.register_outputs({})
