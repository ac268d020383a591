"""The lake: six private buckets, encrypted, TLS only, versioned, with an end for everything."""

from __future__ import annotations

from typing import get_args

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.s3 import (
    Bucket,
    BucketLifecycleConfiguration,
    BucketLogging,
    BucketNotification,
    BucketObjectLockConfiguration,
    BucketObjectLockConfigurationRuleArgs,
    BucketObjectLockConfigurationRuleDefaultRetentionArgs,
    BucketOwnershipControls,
    BucketOwnershipControlsRuleArgs,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs,
    BucketServerSideEncryptionConfigurationRuleArgs,
    BucketVersioning,
    BucketVersioningVersioningConfigurationArgs,
)

from mlops_infra.components.aws.foundation.foundation import BucketRole
from mlops_infra.components.aws.lake.lifecycle import rules
from mlops_infra.components.aws.lake.policies import bucket_policy
from mlops_infra.config.aws.account import AwsConfig
from mlops_infra.plan.aws.names import AwsNames

ROLES: tuple[BucketRole, ...] = get_args(BucketRole)


class Lake(pulumi.ComponentResource):
    """`buckets` by role; `policies` stand before anything is written.

    Args:
        config: section `aws`.
        names: makes the buckets' names.
        data_key: ARN of the key of everything but the logs.
    """

    def __init__(
        self, config: AwsConfig, names: AwsNames, *, data_key: Output[str], opts: ResourceOptions
    ) -> None:
        super().__init__("mlops-infra:aws:Lake", "lake", {}, opts)
        self._config = config
        self._names = names
        self._key = data_key
        self._below = ResourceOptions(parent=self)
        self.buckets: dict[BucketRole, Bucket] = {role: self._bucket(role) for role in ROLES}
        self.policies: list[pulumi.Resource] = [self._guard(role) for role in ROLES]
        for role in ROLES:
            self._keep(role)
        self.register_outputs({})

    def _bucket(self, role: BucketRole) -> Bucket:
        return Bucket(
            role,
            bucket=self._names.of("bucket", role),
            force_destroy=self._config.lake.force_destroy,
            # can be chosen at creation only
            object_lock_enabled=role == "raw" and self._config.lake.object_lock,
            opts=self._below,
        )

    def _guard(self, role: BucketRole) -> pulumi.Resource:
        """Nobody from outside, nothing in the clear, no object ACL."""
        bucket = self.buckets[role]
        closed = BucketPublicAccessBlock(
            role,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._below,
        )
        BucketOwnershipControls(
            role,
            bucket=bucket.bucket,
            rule=BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._below,
        )
        self._encrypt(role, bucket)
        # S3 answers OperationAborted where the two are changed at the same moment
        after = ResourceOptions(parent=self, depends_on=[closed])
        policy = Output.json_dumps(bucket_policy(role, self._names))
        return BucketPolicy(role, bucket=bucket.bucket, policy=policy, opts=after)

    def _encrypt(self, role: BucketRole, bucket: Bucket) -> None:
        # S3 delivers access logs to buckets under its own key only
        by_kms = role != "logs"
        default = BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms" if by_kms else "AES256",
            kms_master_key_id=self._key if by_kms else None,
        )
        rule = BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default,
            # one call to KMS for many objects instead of one for each
            bucket_key_enabled=by_kms or None,
        )
        BucketServerSideEncryptionConfiguration(
            role, bucket=bucket.bucket, rules=[rule], opts=self._below
        )

    def _keep(self, role: BucketRole) -> None:
        """Versions, life cycle, records of access, events."""
        bucket, lake = self.buckets[role], self._config.lake
        before: list[pulumi.Resource] = []
        if lake.versioning:
            status = BucketVersioningVersioningConfigurationArgs(status="Enabled")
            before.append(
                BucketVersioning(
                    role,
                    bucket=bucket.bucket,
                    versioning_configuration=status,
                    opts=self._below,
                )
            )
        after = ResourceOptions(parent=self, depends_on=before)
        BucketLifecycleConfiguration(
            role, bucket=bucket.bucket, rules=rules(role, self._config), opts=after
        )
        BucketNotification(role, bucket=bucket.bucket, eventbridge=True, opts=self._below)
        if lake.access_logs and role != "logs":
            self._record(role, bucket)
        if lake.object_lock and lake.object_lock_days and role == "raw":
            retention = BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode=lake.object_lock_mode, days=lake.object_lock_days
            )
            lock = BucketObjectLockConfigurationRuleArgs(default_retention=retention)
            BucketObjectLockConfiguration(role, bucket=bucket.bucket, rule=lock, opts=after)

    def _record(self, role: BucketRole, bucket: Bucket) -> None:
        policy = self.policies[ROLES.index("logs")]
        BucketLogging(
            role,
            bucket=bucket.bucket,
            target_bucket=self.buckets["logs"].bucket,
            target_prefix=f"s3/{role}/",
            opts=ResourceOptions(parent=self, depends_on=[policy]),
        )
