"""The registry of models: a model package group, who may read it, and a tracking server."""

from __future__ import annotations

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.sagemaker import MlflowTrackingServer, ModelPackageGroup, ModelPackageGroupPolicy

from mlops_infra.components.aws.foundation.foundation import Foundation

TYPE = "mlops-infra:aws:Registry"
READERS = (
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:ListModelPackages",
)
"""What another account needs to deploy a model of this one."""


class Registry(pulumi.ComponentResource):
    """`group`: the model package group; `tracking`: ARN of the tracking server, if any."""

    def __init__(
        self, foundation: Foundation, *, role_arn: Output[str], opts: ResourceOptions
    ) -> None:
        super().__init__(TYPE, "registry", {}, opts)
        config, names = foundation.config.registry, foundation.names
        below = ResourceOptions(parent=self)
        name = foundation.name("model-group", config.group)
        self.group = ModelPackageGroup(
            config.group,
            model_package_group_name=name,
            model_package_group_description=f"Models of {names.stack}",
            opts=below,
        )
        if config.reader_accounts:
            ModelPackageGroupPolicy(
                config.group,
                model_package_group_name=self.group.model_package_group_name,
                resource_policy=Output.json_dumps(_policy(foundation, name)),
                opts=below,
            )
        self.tracking: Output[str] | None = None
        if config.mlflow:
            server = MlflowTrackingServer(
                "mlflow",
                tracking_server_name=foundation.name("mlflow", "mlflow"),
                artifact_store_uri=foundation.uri("artifacts", "mlflow"),
                tracking_server_size=config.mlflow,
                role_arn=role_arn,
                # the registry of record is the group above; a copy would approve itself
                automatic_model_registration=False,
                opts=ResourceOptions(parent=self, depends_on=list(foundation.ready)),
            )
            self.tracking = server.arn
        self.register_outputs({})


def _policy(foundation: Foundation, group: str) -> dict[str, object]:
    names = foundation.names
    readers = [
        f"arn:{names.partition}:iam::{account}:root"
        for account in foundation.config.registry.reader_accounts
    ]
    resources = [
        names.arn("sagemaker", f"model-package-group/{group}"),
        names.arn("sagemaker", f"model-package/{group}/*"),
    ]
    statement = {
        "Sid": "OtherAccountsDeploy",
        "Effect": "Allow",
        "Principal": {"AWS": readers},
        "Action": list(READERS),
        "Resource": resources,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
