"""What SageMaker's jobs, pipelines and endpoints may do."""

from __future__ import annotations

import pulumi
from pulumi_aws.iam import Role, RolePolicy

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import (
    RoleSpec,
    Statement,
    grant_key,
    pass_role,
    read_objects,
    use_key,
    write_logs,
    write_objects,
)

JOBS, SERVING = "jobs", "serving"
"""Names of the two roles."""


def job_role(foundation: Foundation, *, parent: pulumi.Resource) -> tuple[Role, RolePolicy]:
    """The role of pipelines and of processing, training, transform and monitoring jobs."""
    names = foundation.names
    own = tuple(
        names.arn("sagemaker", f"{kind}/*")
        for kind in ("processing-job", "training-job", "transform-job", "model-package")
    )
    group = names.of("model-group", foundation.config.registry.group)
    spec = RoleSpec(
        JOBS,
        "sagemaker",
        (
            *read_objects("Raw", foundation.bucket_arn("raw")),
            *write_objects("Curated", foundation.bucket_arn("curated")),
            *write_objects("Artifacts", foundation.bucket_arn("artifacts")),
            *write_objects("Features", foundation.bucket_arn("features")),
            *_common(foundation),
            Statement("Jobs", _JOBS, own),
            Statement(
                "Registry",
                ("sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackageGroup"),
                (
                    names.arn("sagemaker", f"model-package-group/{group}"),
                    names.arn("sagemaker", f"model-package/{group}/*"),
                ),
            ),
            pass_role("PassItself", [foundation.role_arn(JOBS)], "sagemaker"),
        ),
    )
    return foundation.role_with_policy(spec, parent=parent)


def serving_role(foundation: Foundation, *, parent: pulumi.Resource) -> tuple[Role, RolePolicy]:
    """The role of endpoints: reads models, writes what it captures and answers later."""
    spec = RoleSpec(
        SERVING,
        "sagemaker",
        (
            *write_objects("Artifacts", foundation.bucket_arn("artifacts")),
            *_common(foundation),
        ),
    )
    return foundation.role_with_policy(spec, parent=parent)


def _common(foundation: Foundation) -> tuple[Statement, ...]:
    """Keys, images, logs, metrics and network interfaces."""
    names = foundation.names
    repositories = names.arn("ecr", f"repository/{names.base}/*")
    logs = names.arn("logs", "log-group:/aws/sagemaker/*")
    interfaces = tuple(
        names.arn("ec2", f"{kind}/*") for kind in ("network-interface", "subnet", "security-group")
    )
    return (
        use_key("Keys", foundation.data_key),
        grant_key("Volumes", foundation.data_key),
        Statement("Login", ("ecr:GetAuthorizationToken",), ("*",)),
        Statement("Images", _IMAGES, (repositories,)),
        Statement("LogGroups", ("logs:CreateLogGroup",), (f"{logs}:*",)),
        write_logs("Logs", logs),
        Statement(
            "Metrics",
            ("cloudwatch:PutMetricData",),
            ("*",),
            {"StringLike": {"cloudwatch:namespace": list(_NAMESPACES)}},
        ),
        Statement("Interfaces", _INTERFACES, interfaces),
        Statement("Network", _NETWORK, ("*",)),
    )


_NAMESPACES = ("/aws/sagemaker/*", "aws/sagemaker/*", "mlops-infra/*")
_IMAGES = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)
_INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
)
_NETWORK = (
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)
_JOBS = (
    "sagemaker:AddTags",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:DescribeTrainingJob",
    "sagemaker:ListTags",
    "sagemaker:StopProcessingJob",
    "sagemaker:StopTrainingJob",
)
