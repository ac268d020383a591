"""What a delivery may do in this account: change pipelines and start them, nothing of the rest.

The resources of the platform are changed by `mlops-infra up` with the deployer's own rights (see
the guide's list); delivery of pipelines needs far less.
"""

from __future__ import annotations

from mlops_infra.components.aws.foundation import Foundation
from mlops_infra.components.aws.job_role import JOBS
from mlops_infra.components.aws.roles import Statement, pass_role, read_objects


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
    )


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
