"""Repositories of images: encrypted, scanned on push, tags that never move, old images ended."""

from __future__ import annotations

import json
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_aws.ecr import (
    LifecyclePolicy,
    Repository,
    RepositoryEncryptionConfigurationArgs,
    RepositoryImageScanningConfigurationArgs,
)

from mlops_infra.components.aws.foundation.foundation import Foundation
from mlops_infra.config.aws.stores import EcrConfig

TYPE = "mlops-infra:aws:Images"


class Images(pulumi.ComponentResource):
    """One repository for each name of `aws.images.repositories`."""

    def __init__(self, foundation: Foundation) -> None:
        super().__init__(TYPE, "images", {}, ResourceOptions(parent=foundation.parent))
        config = foundation.config.images
        below = ResourceOptions(parent=self)
        encryption = RepositoryEncryptionConfigurationArgs(
            encryption_type="KMS", kms_key=foundation.data_key
        )
        for name in config.repositories:
            repository = Repository(
                name,
                name=foundation.name("repository", name),
                # a tag that moves would give one model two environments
                image_tag_mutability="IMMUTABLE",
                image_scanning_configuration=RepositoryImageScanningConfigurationArgs(
                    scan_on_push=True
                ),
                encryption_configurations=[encryption],
                # as with buckets: what `down` may empty is one decision
                force_delete=foundation.config.lake.force_destroy,
                opts=below,
            )
            LifecyclePolicy(
                name, repository=repository.name, policy=json.dumps(endings(config)), opts=below
            )
        self.register_outputs({})


def build_images(foundation: Foundation) -> Images:
    """Declare the repositories."""
    return Images(foundation)


def endings(config: EcrConfig) -> dict[str, Any]:
    """ECR's life-cycle policy: untagged ones by age, the rest by number."""
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": config.untagged_days,
    }
    rest = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": config.keep}
    expire = {"type": "expire"}
    return {
        "rules": [
            {"rulePriority": 1, "description": "untagged", "selection": untagged, "action": expire},
            {"rulePriority": 2, "description": "too many", "selection": rest, "action": expire},
        ]
    }
