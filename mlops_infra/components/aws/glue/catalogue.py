"""The catalogue: a database, what encrypts Glue's own files, crawlers, explicit tables."""

from __future__ import annotations

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.glue import (
    CatalogDatabase,
    CatalogTable,
    Crawler,
    CrawlerRecrawlPolicyArgs,
    CrawlerS3TargetArgs,
    CrawlerSchemaChangePolicyArgs,
    DataCatalogEncryptionSettings,
    DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsArgs,
    DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsConnectionPasswordEncryptionArgs,
    DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsEncryptionAtRestArgs,
    DataQualityRuleset,
    DataQualityRulesetTargetTableArgs,
    SecurityConfiguration,
    SecurityConfigurationEncryptionConfigurationArgs,
    SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs,
    SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs,
    SecurityConfigurationEncryptionConfigurationS3EncryptionArgs,
)

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.components.aws.foundation.places import lake_uri
from mlops_infra.components.aws.glue.role import catalogue_role
from mlops_infra.components.aws.glue.tables import partition_keys, storage
from mlops_infra.config.aws.data import Crawler as CrawlerConfig
from mlops_infra.config.aws.data import Table

TYPE = "mlops-infra:aws:Catalogue"


class Catalogue(pulumi.ComponentResource):
    """`database`, `tables` and `crawlers` by name; `role_arn` and `security` for jobs."""

    def __init__(self, foundation: Foundation) -> None:
        super().__init__(TYPE, "catalogue", {}, ResourceOptions(parent=foundation.parent))
        self._foundation = foundation
        self._below = ResourceOptions(parent=self)
        config = foundation.config.glue
        self.database = CatalogDatabase(
            "database",
            name=foundation.name("database", config.database),
            description=f"Lake of {foundation.names.stack}",
            location_uri=foundation.uri("curated") + "/",
            opts=self._below,
        )
        self.security = self._security()
        if config.encrypt_catalog:
            self._encryption()
        role, policy = catalogue_role(foundation, parent=self)
        self.role_arn = role.arn
        self.ready = (policy, *foundation.ready)
        self.tables = {name: self._table(name, each) for name, each in config.tables.items()}
        self.crawlers = {name: self._crawler(name, each) for name, each in config.crawlers.items()}
        for name, quality in config.quality.items():
            DataQualityRuleset(
                name,
                name=foundation.name("glue", name),
                ruleset="Rules = [\n  " + ",\n  ".join(quality.rules) + "\n]",
                target_table=DataQualityRulesetTargetTableArgs(
                    database_name=self.database.name, table_name=self.tables[quality.table].name
                ),
                opts=self._below,
            )
        self.register_outputs({})

    def _security(self) -> SecurityConfiguration:
        key = self._foundation.data_key
        logs = SecurityConfigurationEncryptionConfigurationCloudwatchEncryptionArgs(
            cloudwatch_encryption_mode="SSE-KMS", kms_key_arn=self._foundation.logs_key
        )
        bookmarks = SecurityConfigurationEncryptionConfigurationJobBookmarksEncryptionArgs(
            job_bookmarks_encryption_mode="CSE-KMS", kms_key_arn=key
        )
        files = SecurityConfigurationEncryptionConfigurationS3EncryptionArgs(
            s3_encryption_mode="SSE-KMS", kms_key_arn=key
        )
        return SecurityConfiguration(
            "glue",
            name=self._foundation.name("glue", "security"),
            encryption_configuration=SecurityConfigurationEncryptionConfigurationArgs(
                cloudwatch_encryption=logs, job_bookmarks_encryption=bookmarks, s3_encryption=files
            ),
            opts=self._below,
        )

    def _encryption(self) -> None:
        key = self._foundation.data_key
        settings = DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsArgs
        passwords = DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsConnectionPasswordEncryptionArgs  # noqa: E501 - the provider's name
        at_rest = DataCatalogEncryptionSettingsDataCatalogEncryptionSettingsEncryptionAtRestArgs
        DataCatalogEncryptionSettings(
            "catalogue",
            data_catalog_encryption_settings=settings(
                connection_password_encryption=passwords(
                    aws_kms_key_id=key, return_connection_password_encrypted=True
                ),
                encryption_at_rest=at_rest(
                    catalog_encryption_mode="SSE-KMS", sse_aws_kms_key_id=key
                ),
            ),
            opts=self._below,
        )

    def _table(self, name: str, config: Table) -> CatalogTable:
        return CatalogTable(
            name,
            name=name,
            database_name=self.database.name,
            table_type="EXTERNAL_TABLE",
            parameters={"classification": config.format, "EXTERNAL": "TRUE"},
            partition_keys=partition_keys(config.partitions),
            storage_descriptor=storage(config, lake_uri(self._foundation, config.path)),
            opts=self._below,
        )

    def _crawler(self, name: str, config: CrawlerConfig) -> Crawler:
        return Crawler(
            name,
            name=self._foundation.name("crawler", name),
            description=config.description or f"Tables of {config.path}",
            database_name=self.database.name,
            role=self.role_arn,
            schedule=config.schedule,
            security_configuration=self.security.name,
            s3_targets=[CrawlerS3TargetArgs(path=lake_uri(self._foundation, config.path) + "/")],
            recrawl_policy=CrawlerRecrawlPolicyArgs(recrawl_behavior="CRAWL_EVERYTHING"),
            # a file that went shall not take a table, and its readers' rights, with it
            schema_change_policy=CrawlerSchemaChangePolicyArgs(
                delete_behavior="LOG", update_behavior="UPDATE_IN_DATABASE"
            ),
            opts=ResourceOptions(parent=self, depends_on=list(self.ready)),
        )


def build_catalogue(foundation: Foundation) -> Catalogue:
    """Declare the catalogue."""
    return Catalogue(foundation)
