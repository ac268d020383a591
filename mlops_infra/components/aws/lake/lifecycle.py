"""How long things stay in the lake. One configuration per bucket, for S3 keeps one."""

from __future__ import annotations

from pulumi_aws.s3 import (
    BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs as AbortArgs,
)
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleArgs as RuleArgs
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleExpirationArgs as ExpirationArgs
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleFilterArgs as FilterArgs
from pulumi_aws.s3 import (
    BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs as OldVersionsArgs,
)
from pulumi_aws.s3 import BucketLifecycleConfigurationRuleTransitionArgs as TransitionArgs

from mlops_infra.components.aws.foundation.foundation import BucketRole
from mlops_infra.config.aws.account import AwsConfig

ABANDONED_DAYS = 7
"""After which the parts of an upload that never ended go; nobody sees them, they cost."""
COLD = "GLACIER_IR"
"""Cheaper and still readable at once: a retraining on old data must not wait for hours."""


def rules(role: BucketRole, config: AwsConfig) -> list[RuleArgs]:
    """Rules of the bucket `role`."""
    found = [
        RuleArgs(
            id="abandoned-uploads",
            status="Enabled",
            filter=FilterArgs(prefix=""),
            abort_incomplete_multipart_upload=AbortArgs(days_after_initiation=ABANDONED_DAYS),
        )
    ]
    if config.lake.versioning:
        days = config.lake.expire_old_versions_days
        found.append(
            RuleArgs(
                id="old-versions",
                status="Enabled",
                filter=FilterArgs(prefix=""),
                noncurrent_version_expiration=OldVersionsArgs(noncurrent_days=days),
            )
        )
    if role == "raw" and config.lake.raw_to_cold_days:
        move = TransitionArgs(days=config.lake.raw_to_cold_days, storage_class=COLD)
        found.append(
            RuleArgs(id="cold", status="Enabled", filter=FilterArgs(prefix=""), transitions=[move])
        )
    if end := expiry(role, config):
        found.append(
            RuleArgs(
                id="expiry",
                status="Enabled",
                filter=FilterArgs(prefix=""),
                expiration=ExpirationArgs(days=end),
            )
        )
    return found


def expiry(role: BucketRole, config: AwsConfig) -> int | None:
    """Days after which an object of the bucket `role` goes; None where it stays."""
    if role in config.lake.expire_days:
        return config.lake.expire_days[role]
    if role == "logs":
        return config.log_retention_days
    return config.athena.results_expire_days if role == "results" else None
