"""Two KMS keys with policies of their own: one of data, one of logs; both rotate every year."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.kms import Alias, Key

from mlops_infra.config.aws.account import KmsConfig
from mlops_infra.plan.aws.names import AwsNames

DATA_SERVICES = ("s3", "sns", "sqs", "events", "cloudwatch", "delivery.logs")
"""Services that encrypt on their own behalf, not as the caller: events to queues, alarms to topics,
access logs to buckets."""

_MANAGE = (
    "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateGrant", "kms:Decrypt",
    "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
    "kms:EnableKeyRotation", "kms:Encrypt", "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
    "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
    "kms:ListRetirableGrants", "kms:PutKeyPolicy", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    "kms:RetireGrant", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource",
    "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
)  # fmt: skip
"""What the account's own IAM may grant. Import of key material, replication and rotation by hand
are not among them."""


class Keys(pulumi.ComponentResource):
    """`data_arn` and `logs_arn`, of the stack's own keys or of the site's."""

    data_arn: Output[str]
    logs_arn: Output[str]

    def __init__(self, config: KmsConfig, names: AwsNames, *, opts: ResourceOptions) -> None:
        super().__init__("mlops-infra:aws:Keys", "keys", {}, opts)
        self._names = names
        self._window = config.deletion_window_days
        self.data_arn = (
            Output.from_input(config.key) if config.key else self._key("data", data_policy(names))
        )
        self.logs_arn = (
            Output.from_input(config.logs_key)
            if config.logs_key
            else self._key("logs", logs_policy(names))
        )
        self.register_outputs({"data_arn": self.data_arn, "logs_arn": self.logs_arn})

    def _key(self, what: str, policy: dict[str, Any]) -> Output[str]:
        key = Key(
            f"{what}-key",
            description=f"{self._names.base}-{what}",
            # every 365 days, KMS's own period
            enable_key_rotation=True,
            deletion_window_in_days=self._window,
            policy=Output.json_dumps(policy),
            opts=ResourceOptions(parent=self),
        )
        Alias(
            f"{what}-key-alias",
            name=self._names.of("key-alias", what),
            target_key_id=key.key_id,
            opts=ResourceOptions(parent=self),
        )
        return key.arn


def data_policy(names: AwsNames) -> dict[str, Any]:
    """The account's IAM decides, and services may use the key for this account's resources."""
    service = {
        "Sid": "ServicesOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": [f"{each}.amazonaws.com" for each in DATA_SERVICES]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": names.account}},
    }
    return _document(names, service)


def logs_policy(names: AwsNames) -> dict[str, Any]:
    """CloudWatch Logs may use the key for log groups of this account and region."""
    group = names.arn("logs", "*")
    service = {
        "Sid": "LogGroupsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{names.region}.{names.dns_suffix}"},
        "Action": [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": group}},
    }
    return _document(names, service)


def _document(names: AwsNames, service: dict[str, Any]) -> dict[str, Any]:
    account = {
        "Sid": "IamOfThisAccount",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{names.partition}:iam::{names.account}:root"},
        "Action": list(_MANAGE),
        # in a key's policy the only resource is the key itself
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [account, service]}
