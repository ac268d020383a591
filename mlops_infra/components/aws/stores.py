"""PostgreSQL on RDS and Valkey on ElastiCache: private, encrypted, no password in the state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import Output, ResourceOptions
from pulumi_aws.elasticache import (
    ReplicationGroup,
    User,
    UserAuthenticationModeArgs,
    UserGroup,
)
from pulumi_aws.elasticache import SubnetGroup as CacheSubnets
from pulumi_aws.rds import Instance, ParameterGroup, ParameterGroupParameterArgs
from pulumi_aws.rds import SubnetGroup as DatabaseSubnets

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.iam.roles import RoleSpec, Statement
from mlops_infra.config.aws.stores import KvConfig, SqlConfig

DATABASE, ADMINISTRATOR = "mlops", "mlops_admin"
LOGS = ("postgresql", "upgrade")
PERFORMANCE_DAYS = 7
"""Of Performance Insights; more costs."""
MONITORING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stores:
    """Addresses of the stores that are there."""

    outputs: dict[str, Output[str]] = field(default_factory=dict)


def build_stores(foundation: Foundation) -> Stores:
    """Declare what `aws.stores` asks for."""
    wanted, outputs = foundation.config.stores, {}
    if wanted.sql is not None:
        database = Sql(foundation, wanted.sql).instance
        outputs["sql_endpoint"] = database.endpoint
    if wanted.kv is not None:
        cache = Kv(foundation, wanted.kv).group
        address = cache.primary_endpoint_address
        outputs["lineage_endpoint"] = Output.concat("rediss://", address, ":6379")
    return Stores(outputs)


class Sql(pulumi.ComponentResource):
    """One PostgreSQL instance; Secrets Manager makes and rotates its administrator's password."""

    def __init__(self, foundation: Foundation, config: SqlConfig) -> None:
        below = ResourceOptions(parent=foundation.parent)
        super().__init__("mlops-infra:aws:Sql", "sql", {}, below)
        self._below = ResourceOptions(parent=self)
        self._foundation = foundation
        base = foundation.name("sql", "sql")
        subnets = DatabaseSubnets(
            "sql",
            name=base,
            description="Private subnets of the platform's database",
            subnet_ids=list(foundation.network.subnet_ids),
            opts=self._below,
        )
        # RDS would make the groups itself, without key and end
        groups = [
            foundation.log_group(
                f"sql-{each}", name=f"/aws/rds/instance/{base}/{each}", parent=self
            )
            for each in LOGS
        ]
        self.instance = Instance(
            "sql",
            **self._machine(base, config),
            **self._guards(base),
            db_subnet_group_name=subnets.name,
            parameter_group_name=self._parameters(base, config).name,
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=self._monitoring(),
            opts=ResourceOptions(parent=self, depends_on=groups),
        )
        self.register_outputs({})

    def _machine(self, base: str, config: SqlConfig) -> dict[str, Any]:
        return {
            "identifier": base,
            "engine": "postgres",
            "engine_version": config.version,
            "instance_class": config.instance,
            "allocated_storage": config.storage_gib,
            "max_allocated_storage": config.storage_limit_gib,
            "storage_type": "gp3",
            "multi_az": config.two_zones or self._foundation.hardened,
            "db_name": DATABASE,
            "backup_retention_period": config.backup_days,
            "auto_minor_version_upgrade": True,
            "copy_tags_to_snapshot": True,
            "enabled_cloudwatch_logs_exports": list(LOGS),
        }

    def _guards(self, base: str) -> dict[str, Any]:
        foundation = self._foundation
        protect = foundation.settings.protect
        return {
            "username": ADMINISTRATOR,
            "manage_master_user_password": True,
            "master_user_secret_kms_key_id": foundation.data_key,
            "iam_database_authentication_enabled": True,
            "storage_encrypted": True,
            "kms_key_id": foundation.data_key,
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": foundation.data_key,
            "performance_insights_retention_period": PERFORMANCE_DAYS,
            "publicly_accessible": False,
            "vpc_security_group_ids": [_group(foundation)],
            # Pulumi's own `protect` stops accidents; AWS's would stop an ordered `down` too
            "deletion_protection": False,
            "skip_final_snapshot": not protect,
            "final_snapshot_identifier": f"{base}-final" if protect else None,
            "delete_automated_backups": not protect,
        }

    def _parameters(self, base: str, config: SqlConfig) -> ParameterGroup:
        values = {"rds.force_ssl": "1", "log_min_duration_statement": "1000"}
        return ParameterGroup(
            "sql",
            name=f"{base}-{config.version}",
            family=f"postgres{config.version}",
            description="TLS only; statements above a second are logged",
            parameters=[
                ParameterGroupParameterArgs(name=name, value=value)
                for name, value in values.items()
            ],
            opts=self._below,
        )

    def _monitoring(self) -> Output[str]:
        """The role that RDS writes the operating system's figures with."""
        group = self._foundation.names.arn("logs", "log-group:RDSOSMetrics")
        statements = (
            Statement("MakeGroup", ("logs:CreateLogGroup", "logs:PutRetentionPolicy"), (group,)),
            Statement(
                "WriteFigures",
                (
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "logs:DescribeLogStreams",
                    "logs:GetLogEvents",
                ),
                (f"{group}:log-stream:*",),
            ),
        )
        source = self._foundation.names.arn("rds", "db:*")
        spec = RoleSpec("sql-monitoring", "monitoring.rds", statements, source_arn=source)
        return self._foundation.role(spec, parent=self).arn


class Kv(pulumi.ComponentResource):
    """One Valkey replication group; callers prove themselves by IAM, not by a password."""

    def __init__(self, foundation: Foundation, config: KvConfig) -> None:
        below = ResourceOptions(parent=foundation.parent)
        super().__init__("mlops-infra:aws:Kv", "kv", {}, below)
        self._below = ResourceOptions(parent=self)
        base = foundation.name("cluster", "kv")
        subnets = CacheSubnets(
            "kv",
            name=base,
            description="Private subnets of the lineage map",
            subnet_ids=list(foundation.network.subnet_ids),
            opts=self._below,
        )
        replicas = max(config.replicas, 1 if foundation.hardened else 0)
        protect = foundation.settings.protect
        self.group = ReplicationGroup(
            "kv",
            replication_group_id=base,
            description="Lineage map of the platform",
            engine="valkey",
            engine_version=config.version,
            node_type=config.instance,
            num_cache_clusters=1 + replicas,
            automatic_failover_enabled=replicas > 0,
            multi_az_enabled=replicas > 0,
            port=6379,
            subnet_group_name=subnets.name,
            security_group_ids=[_group(foundation)],
            user_group_ids=[self._users(base).user_group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=foundation.data_key,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auto_minor_version_upgrade=True,
            snapshot_retention_limit=config.snapshot_days,
            final_snapshot_identifier=f"{base}-final" if protect else None,
            opts=self._below,
        )
        self.register_outputs({})

    def _users(self, base: str) -> UserGroup:
        user = User(
            "kv",
            user_id=f"{base}-app",
            # ElastiCache asks for both names to be the same where IAM decides
            user_name=f"{base}-app",
            engine="valkey",
            access_string="on ~* +@all -@admin -@dangerous",
            authentication_mode=UserAuthenticationModeArgs(type="iam"),
            opts=self._below,
        )
        return UserGroup(
            "kv",
            user_group_id=f"{base}-users",
            engine="valkey",
            user_ids=[user.user_id],
            opts=self._below,
        )


def _group(foundation: Foundation) -> Output[str]:
    """The stores' security group, which the network makes where any store is asked for."""
    group = foundation.network.stores_group
    assert group is not None  # noqa: S101 - `network_groups` makes it by the same condition
    return group
