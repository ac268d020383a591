"""The one AWS provider of a stack; nothing may use a default one."""

from __future__ import annotations

from pulumi_aws import Provider, ProviderAssumeRoleArgs, ProviderEndpointArgs

from mlops_infra.config.aws.account import AwsConfig

_EMULATED = (
    "apigatewayv2", "appautoscaling", "athena", "budgets", "cloudwatch", "cloudwatchevents",
    "cloudwatchlogs", "codebuild", "codepipeline", "ec2", "ecr", "elasticache", "firehose", "glue",
    "iam", "kinesis", "kms", "lakeformation", "lambda_", "mwaa", "quicksight", "rds", "s3",
    "sagemaker", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "sts",
)  # fmt: skip
"""Services whose calls go to `aws.endpointUrl`; a service left out would call AWS itself."""


def aws_provider(config: AwsConfig, *, role_session: str) -> Provider:
    """The provider resource `aws`, pinned to one account and one region.

    A wrong profile in somebody's shell must not deploy to another account: the provider asks AWS
    who it is and stops where that is not `aws.account`.

    Args:
        config: section `aws`.
        role_session: name that CloudTrail shows for what an assumed role did.
    """
    emulator = config.endpoint_url
    return Provider(
        "aws",
        region=config.region,
        allowed_account_ids=[config.account],
        assume_roles=(
            [ProviderAssumeRoleArgs(role_arn=config.role, session_name=role_session)]
            if config.role
            else None
        ),
        endpoints=(
            [ProviderEndpointArgs(**dict.fromkeys(_EMULATED, emulator))] if emulator else None
        ),
        skip_metadata_api_check=bool(emulator) or None,
        skip_credentials_validation=bool(emulator) or None,
        s3_use_path_style=bool(emulator) or None,
        # an emulator that lacks a call answers 500; retrying it for a minute helps nobody
        max_retries=1 if emulator else None,
    )
