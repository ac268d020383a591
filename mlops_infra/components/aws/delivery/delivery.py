"""CI/CD of the pipelines: test, approve, deploy here, then account by account."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.codebuild import Project
from pulumi_aws.codepipeline import Pipeline

from mlops_infra.components.aws.delivery.github import github_role
from mlops_infra.components.aws.delivery.rights import (
    assume_role,
    deploy_statements,
    state_statements,
)
from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import (
    RoleSpec,
    Statement,
    use_key,
    write_logs,
    write_objects,
)
from mlops_infra.config.aws.delivery import CodePipelineConfig, DeliveryConfig

TYPE = "mlops-infra:aws:Delivery"
IMAGE = "aws/codebuild/amazonlinux2-aarch64-standard:3.0"
MINUTES = 60


class Delivery(pulumi.ComponentResource):
    """What `aws.delivery` asks for; `github` is the ARN of GitHub's role."""

    def __init__(self, foundation: Foundation, config: DeliveryConfig) -> None:
        super().__init__(TYPE, "delivery", {}, ResourceOptions(parent=foundation.parent))
        self._foundation, self._config = foundation, config
        self.github = (
            github_role(foundation, config.github, parent=self).arn if config.github else None
        )
        if config.codepipeline is not None:
            self._pipeline(config.codepipeline)
        self.register_outputs({})

    def _pipeline(self, config: CodePipelineConfig) -> None:
        foundation = self._foundation
        foundation.log_group("delivery", parent=self)
        test = self._project("test", _TEST, ())
        here = self._project(
            "deploy", _deploy(foundation.names.stack), deploy_statements(foundation)
        )
        stages: list[Any] = [_source(config), _build("Test", test)]
        stages += [_approval("Approve", foundation.names.stack)] if config.approval else []
        stages.append(_build("Deploy", here))
        for name, stage in self._config.stages.items():
            statements = (assume_role(stage.role), *state_statements(foundation))
            project = self._project(name, _deploy(stage.stack), statements)
            if stage.approval:
                stages.append(_approval(f"Approve-{name}", f"{stage.stack} ({stage.account})"))
            stages.append(_build(f"Deploy-{name}", project))
        role, policy = foundation.role_with_policy(self._role(config), parent=self)
        Pipeline(
            "delivery",
            name=foundation.name("codepipeline", "delivery"),
            pipeline_type="V2",
            execution_mode="QUEUED",
            role_arn=role.arn,
            artifact_stores=[
                {
                    "type": "S3",
                    "location": foundation.bucket("artifacts"),
                    "encryption_key": {"type": "KMS", "id": foundation.data_key},
                }
            ],
            stages=stages,
            opts=ResourceOptions(parent=self, depends_on=[policy, *foundation.ready]),
        )

    def _role(self, config: CodePipelineConfig) -> RoleSpec:
        names = self._foundation.names
        projects = names.arn("codebuild", f"project/{names.base}-*")
        return RoleSpec(
            "delivery",
            "codepipeline",
            (
                *write_objects("Artifacts", self._foundation.bucket_arn("artifacts")),
                use_key("Keys", self._foundation.data_key),
                Statement(
                    "Build", ("codebuild:BatchGetBuilds", "codebuild:StartBuild"), (projects,)
                ),
                Statement("Source", ("codestar-connections:UseConnection",), (config.connection,)),
            ),
        )

    def _project(self, name: str, spec: dict[str, Any], extra: tuple[Statement, ...]) -> Project:
        foundation = self._foundation
        statements = (
            *write_objects("Files", foundation.bucket_arn("artifacts")),
            use_key("Keys", foundation.data_key),
            write_logs("Logs", foundation.log_group_arn("delivery")),
            *extra,
        )
        # statements of the same sid would be refused
        unique = {each.sid: each for each in statements}
        role, policy = foundation.role_with_policy(
            RoleSpec(f"build-{name}", "codebuild", tuple(unique.values())), parent=self
        )
        return Project(
            name,
            name=foundation.name("codebuild", name),
            description=f"{name} of {foundation.names.stack}",
            service_role=role.arn,
            build_timeout=MINUTES,
            encryption_key=foundation.data_key,
            artifacts={"type": "CODEPIPELINE"},
            source={"type": "CODEPIPELINE", "buildspec": json.dumps(spec)},
            environment={
                "type": "ARM_CONTAINER",
                "compute_type": "BUILD_GENERAL1_SMALL",
                "image": IMAGE,
            },
            logs_config={
                "cloudwatch_logs": {
                    "status": "ENABLED",
                    "group_name": foundation.name("log-group", "delivery"),
                }
            },
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )


_TEST: dict[str, Any] = {
    "version": 0.2,
    "phases": {"build": {"commands": ["make venv", "make unit"]}},
}


def _deploy(stack: str) -> dict[str, Any]:
    """The build that checks and deploys one stack; its file says by which role (`aws.role`)."""
    commands = [f".venv/bin/mlops-infra {each} -s {stack}" for each in ("check", "up", "status")]
    return {
        "version": 0.2,
        "phases": {"install": {"commands": ["make venv"]}, "build": {"commands": commands}},
    }


def _source(config: CodePipelineConfig) -> dict[str, Any]:
    action = {
        "name": "Source",
        "category": "Source",
        "owner": "AWS",
        "provider": "CodeStarSourceConnection",
        "version": "1",
        "output_artifacts": ["source"],
        "configuration": {
            "ConnectionArn": config.connection,
            "FullRepositoryId": config.repository,
            "BranchName": config.branch,
        },
    }
    return {"name": "Source", "actions": [action]}


def _build(name: str, project: Project) -> dict[str, Any]:
    action = {
        "name": name,
        "category": "Build",
        "owner": "AWS",
        "provider": "CodeBuild",
        "version": "1",
        "input_artifacts": ["source"],
        "configuration": {"ProjectName": project.name},
    }
    return {"name": name, "actions": [action]}


def _approval(name: str, where: str) -> dict[str, Any]:
    action = {
        "name": name,
        "category": "Approval",
        "owner": "AWS",
        "provider": "Manual",
        "version": "1",
        "configuration": {"CustomData": f"deploy to {where}?"},
    }
    return {"name": name, "actions": [action]}


def build_delivery(foundation: Foundation) -> Delivery | None:
    """Declare CI/CD; nothing where the configuration has none."""
    config = foundation.config.delivery
    return Delivery(foundation, config) if config else None
