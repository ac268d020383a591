"""Which AWS resources hold state, what they are called, and what `down` leaves of them.

One table for the program that protects them, the engine that judges a change and the teardown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Remains = Literal["itself", "snapshot", "nothing"]


@dataclass(frozen=True, slots=True)
class StatefulType:
    """One type of resource whose loss loses data.

    Args:
        name: input property that names it.
        remains: what is left after `down` where the configuration protects: the thing itself,
            a snapshot that AWS makes at the end, or nothing, for it can be made again.
    """

    name: str
    remains: Remains = "itself"


STATEFUL: Mapping[str, StatefulType] = {
    "aws:s3/bucket:Bucket": StatefulType("bucket"),
    # whoever deletes the key deletes every object, volume and snapshot under it
    "aws:kms/key:Key": StatefulType("description"),
    "aws:rds/instance:Instance": StatefulType("identifier", "snapshot"),
    "aws:elasticache/replicationGroup:ReplicationGroup": StatefulType(
        "replicationGroupId", "snapshot"
    ),
    "aws:sagemaker/featureGroup:FeatureGroup": StatefulType("featureGroupName"),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": StatefulType("modelPackageGroupName"),
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": StatefulType(
        "trackingServerName", "nothing"
    ),
    "aws:sagemaker/domain:Domain": StatefulType("domainName"),
    "aws:ecr/repository:Repository": StatefulType("name"),
    "aws:glue/catalogDatabase:CatalogDatabase": StatefulType("name"),
    "aws:glue/catalogTable:CatalogTable": StatefulType("name"),
    "aws:kinesis/stream:Stream": StatefulType("name", "nothing"),
    "aws:dynamodb/table:Table": StatefulType("name"),
    "aws:efs/fileSystem:FileSystem": StatefulType("creationToken"),
}
"""Type token to how it is treated. A feature group's history, a registry and a raw zone stay."""


def kind_of(type_token: str) -> tuple[str, str]:
    """`("s3", "Bucket")` of `aws:s3/bucket:Bucket`: component and kind in `allowReplace`."""
    _, module, kind = type_token.split(":")
    return module.partition("/")[0], kind
