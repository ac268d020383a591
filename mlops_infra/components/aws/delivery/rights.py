"""What a delivery may do: change pipelines and start them, and become the deployer for the rest.

The resources of the platform are changed by `mlops-infra up` as `aws.role`, which the site makes
with the policies of `mlops-infra preview --permissions`; the builds themselves have far less.
"""

from __future__ import annotations

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import Statement, pass_role, read_objects, write_objects
from mlops_infra.components.aws.sagemaker.job_role import JOBS


def deploy_statements(foundation: Foundation) -> tuple[Statement, ...]:
    """Update and start the stack's own pipelines, push their images, read their results."""
    names = foundation.names
    pipelines = names.arn("sagemaker", f"pipeline/{names.base}-*")
    group = names.of("model-group", foundation.config.registry.group)
    return (
        Statement("Pipelines", _PIPELINES, (pipelines, f"{pipelines}/execution/*")),
        Statement("Models", _MODELS, (names.arn("sagemaker", f"model-package/{group}/*"),)),
        Statement("Login", ("ecr:GetAuthorizationToken",), ("*",)),
        Statement("Images", _IMAGES, (names.arn("ecr", f"repository/{names.base}/*"),)),
        *read_objects("Artifacts", foundation.bucket_arn("artifacts")),
        pass_role("PassJobs", [foundation.role_arn(JOBS)], "sagemaker"),
        *((assume_role(foundation.config.role),) if foundation.config.role else ()),
        *state_statements(foundation),
    )


def assume_role(role: str) -> Statement:
    """Become the role that deploys."""
    return Statement("Assume", ("sts:AssumeRole",), (role,))


def state_statements(foundation: Foundation) -> tuple[Statement, ...]:
    """Read and write the state, where that is a bucket; other backends have keys of their own."""
    scheme, _, rest = (foundation.settings.backend.url or "").partition("://")
    bucket = rest.partition("?")[0].partition("/")[0]
    if scheme != "s3" or not bucket:
        return ()
    return write_objects("State", f"arn:{foundation.names.partition}:s3:::{bucket}")


_PIPELINES = (
    "sagemaker:DescribePipeline",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:StartPipelineExecution",
    "sagemaker:UpdatePipeline",
)
_MODELS = ("sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage")
_IMAGES = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
