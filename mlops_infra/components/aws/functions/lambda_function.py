"""Lambda functions of the kit: one file each, in the VPC, traced, with logs that end."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.lambda_ import Function

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement, use_key, write_logs

RUNTIME = "python3.12"


def function(
    foundation: Foundation,
    name: str,
    *,
    script: str,
    statements: tuple[Statement, ...],
    environment: Mapping[str, pulumi.Input[str]],
    timeout: int,
    concurrency: int,
    dead_letters: pulumi.Input[str] | None,
    parent: pulumi.Resource,
) -> Function:
    """Declare a function from a file of `scripts`.

    Args:
        foundation: of the stack.
        name: short name; role and log group have it too.
        script: file; its `handler` is called.
        statements: what it may do beside logs and traces.
        environment: variables, encrypted by the stack's key.
        timeout: seconds.
        concurrency: copies at the same time, so that it cannot eat the account's.
        dead_letters: ARN of the queue of what it failed at; None for one that is called directly.
        parent: whose it is.
    """
    full = foundation.name("lambda", name)
    group = f"/aws/lambda/{full}"
    logs = foundation.log_group(name, name=group, parent=parent)
    queue = (
        (Statement("Failures", ("sqs:SendMessage",), (dead_letters,)),)
        if dead_letters is not None
        else ()
    )
    spec = RoleSpec(
        name,
        "lambda",
        (
            *statements,
            *queue,
            use_key("Keys", foundation.data_key),
            write_logs("Logs", foundation.log_group_arn(name, name=group)),
            Statement("Traces", ("xray:PutTraceSegments", "xray:PutTelemetryRecords"), ("*",)),
        ),
    )
    role, policy = foundation.role_with_policy(spec, parent=parent)
    return Function(
        name,
        name=full,
        description=f"mlops-infra {foundation.names.stack}: {name}",
        role=role.arn,
        runtime=RUNTIME,
        architectures=["arm64"],
        handler=f"{Path(script).stem}.handler",
        code=pulumi.AssetArchive({script: pulumi.FileAsset(str(path_of(script)))}),
        timeout=timeout,
        memory_size=256,
        reserved_concurrent_executions=concurrency,
        kms_key_arn=foundation.data_key,
        environment={"variables": dict(environment)},
        dead_letter_config={"target_arn": dead_letters} if dead_letters is not None else None,
        tracing_config={"mode": "Active"},
        logging_config={"log_format": "JSON", "log_group": logs.name},
        opts=ResourceOptions(parent=parent, depends_on=[policy, logs]),
    )


def path_of(script: str) -> Path:
    """The file of a script."""
    return Path(str(files("mlops_infra.components.aws.scripts"))) / script
