"""The plan of an aws stack: no charts, no images, and outputs that names alone decide."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mlops_infra import __version__
from mlops_infra.config import StackConfig
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames, names_of
from mlops_infra.plan.model.planned import Finding, Plan
from mlops_infra.plan.network.outputs import CONTRACT

UNTRIED = (
    "the aws profile is proved against an emulator and the Terraform provider's schema, not "
    "against AWS itself: read a preview before the first `up`"
)


def aws_plan(config: StackConfig, stack: str) -> Plan:
    """The plan of `stack`; its configuration has the section `aws`."""
    return Plan(
        stack=stack,
        profile="aws",
        components=(),
        outputs=aws_outputs(config, stack),
        findings=(Finding("release", "profile", UNTRIED),),
        file=config.origin.file,
    )


def aws_outputs(config: StackConfig, stack: str) -> dict[str, Any]:
    """The contract's keys; the program adds what only AWS knows, the address of a database."""
    names = names_of(config, stack)
    assert config.aws is not None  # noqa: S101 - a rule of the configuration: profile aws has it
    found: dict[str, Any] = dict.fromkeys(CONTRACT)
    found |= {
        "profile": config.profile,
        "environment": config.environment,
        "version": __version__,
        "artifact_root": f"s3://{names.of('bucket', 'artifacts')}/",
        "registry_uri": names.arn(
            "sagemaker", f"model-package-group/{names.of('model-group', config.aws.registry.group)}"
        ),
        "catalog": names.of("database", config.aws.glue.database),
        "components": components(config.aws),
        "account": config.aws.account,
        "region": config.aws.region,
    }
    return found | _endpoints(config.aws, names)


def _endpoints(config: AwsConfig, names: AwsNames) -> dict[str, str | None]:
    """Addresses of the services that stand behind the contract; None where nothing does."""
    base = f"{names.region}.{names.dns_suffix}"
    sagemaker = config.endpoint_url or f"https://api.sagemaker.{base}"
    runtime = config.endpoint_url or f"https://runtime.sagemaker.{base}"
    features = config.endpoint_url or f"https://featurestore-runtime.sagemaker.{base}"
    console = f"https://{names.region}.console.{_CONSOLE[names.partition]}"
    board = quote(names.of("dashboard", "platform"))
    return {
        "pipeline_endpoint": sagemaker if config.pipelines else None,
        "feature_endpoint": features if config.features else None,
        "serving_endpoint": runtime if config.endpoints else None,
        "dashboards_url": f"{console}/cloudwatch/home?region={names.region}#dashboards:name={board}"
        if config.endpoints
        else None,
    }


_CONSOLE = {
    "aws": "aws.amazon.com",
    "aws-cn": "amazonaws.cn",
    "aws-us-gov": "amazonaws-us-gov.com",
}


def components(config: AwsConfig) -> dict[str, str]:
    """What is there and its version; `managed` where AWS shows none."""
    found = {"s3": "managed", "glue": "managed", "athena": "managed", "sagemaker": "managed"}
    if config.stores.sql is not None:
        found["postgresql"] = config.stores.sql.version
    if config.stores.kv is not None:
        found["valkey"] = config.stores.kv.version
    return dict(sorted(found.items()))
