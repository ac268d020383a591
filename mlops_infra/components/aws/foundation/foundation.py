"""What every component of the aws profile builds on: one frozen object, made first.

A component takes the foundation and nothing of another component that it can name instead: names
and ARNs are known before anything exists (`mlops_infra.plan.aws.names`), so that few outputs
travel and policies can be read, and judged, as plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.cloudwatch import LogGroup
from pulumi_aws.iam import Role, RolePolicy
from pulumi_aws.s3 import Bucket

from mlops_infra.components.aws.iam.lint import require_least_privilege
from mlops_infra.components.aws.iam.roles import RoleSpec, permissions, trust
from mlops_infra.config import StackConfig
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames

BucketRole = Literal["raw", "curated", "features", "artifacts", "logs", "results"]


@dataclass(frozen=True, slots=True)
class Network:
    """Where jobs, endpoints and stores run."""

    vpc_id: pulumi.Input[str]
    subnet_ids: tuple[pulumi.Input[str], ...]
    """Private ones, each in another zone."""
    jobs_group: Output[str]
    """Security group of training, processing, Glue and Lambda: may call out, nobody calls in."""
    endpoints_group: Output[str]
    """Security group of serving containers."""
    stores_group: Output[str] | None
    """Security group of PostgreSQL and Valkey: reached from the two others only; None where the
    stack has neither."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """The stack's provider, names, keys, network and buckets.

    Args:
        settings: the whole configuration.
        config: its section `aws`.
        names: makes names and ARNs.
        parent: the component that everything is below; carries provider, tags and protection.
        data_key: ARN of the key of data, volumes and queues.
        logs_key: ARN of the key of log groups.
        network: where things run.
        buckets: the lake by role.
        bucket_names: their names, known beforehand.
        tags: those of every taggable resource; a transform puts them on, components need not.
        ready: what must stand before a job can run: bucket policies, routes, endpoints.
    """

    settings: StackConfig
    config: AwsConfig
    names: AwsNames
    parent: pulumi.Resource
    data_key: Output[str]
    logs_key: Output[str]
    network: Network
    buckets: Mapping[BucketRole, Bucket]
    tags: Mapping[str, str]
    ready: Sequence[pulumi.Resource]

    def name(self, kind: str, what: str) -> str:
        """The deterministic name of `what`; kinds and limits: `aws_names.LIMITS`."""
        return self.names.of(kind, what)

    def bucket(self, role: BucketRole) -> str:
        """Name of a bucket, as text known before the bucket is there."""
        return self.names.of("bucket", role)

    def bucket_arn(self, role: BucketRole) -> str:
        """ARN of a bucket, as text known before the bucket is there."""
        return self.names.bucket_arn(role)

    def uri(self, role: BucketRole, *path: str) -> str:
        """`s3://bucket/path` of a folder of the lake."""
        return "/".join([f"s3://{self.bucket(role)}", *path])

    @property
    def hardened(self) -> bool:
        """Whether the policy asks for more than one of everything."""
        return self.settings.policy == "hardened"

    def role(self, spec: RoleSpec, *, parent: pulumi.Resource | None = None) -> Role:
        """A role from data, with its one policy and the site's permissions boundary.

        A component that uses the role at once must depend on `role_policy` too: get it by
        `role_with_policy`.

        Raises:
            InputError: the linter refuses the data.
        """
        return self.role_with_policy(spec, parent=parent)[0]

    def role_with_policy(
        self, spec: RoleSpec, *, parent: pulumi.Resource | None = None
    ) -> tuple[Role, RolePolicy]:
        """`role` and the policy that makes it useful, for `depends_on`."""
        require_least_privilege(spec, self.names)
        below = ResourceOptions(parent=parent or self.parent)
        role = Role(
            f"{spec.name}-role",
            name=self.name("role", spec.name),
            description=f"mlops-infra {self.names.stack}: {spec.name}",
            assume_role_policy=pulumi.Output.json_dumps(trust(spec, self.names)),
            permissions_boundary=self.config.permissions_boundary,
            # inline policies that somebody adds by hand go with the role
            force_detach_policies=True,
            opts=below,
        )
        policy = RolePolicy(
            f"{spec.name}-policy",
            name=self.name("policy", spec.name),
            role=role.name,
            policy=pulumi.Output.json_dumps(permissions(spec)),
            opts=below,
        )
        return role, policy

    def role_arn(self, name: str) -> str:
        """ARN of the role that `RoleSpec(name=…)` makes, as text known beforehand."""
        return self.names.arn("iam", f"role/{self.name('role', name)}", region=False)

    def log_group(
        self, what: str, *, name: str | None = None, parent: pulumi.Resource | None = None
    ) -> LogGroup:
        """An encrypted log group that ends with the stack.

        Args:
            what: logical name.
            name: full name where a service dictates it, for example `/aws/lambda/NAME`.
            parent: whose it is.
        """
        return LogGroup(
            f"{what}-logs",
            name=name or self.name("log-group", what),
            retention_in_days=self.config.log_retention_days,
            kms_key_id=self.logs_key,
            opts=ResourceOptions(parent=parent or self.parent),
        )

    def log_group_arn(self, what: str, *, name: str | None = None) -> str:
        """ARN of a log group without the trailing `:*`."""
        return self.names.arn("logs", f"log-group:{name or self.name('log-group', what)}")
