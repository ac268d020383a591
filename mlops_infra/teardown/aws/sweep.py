"""Looks for what is left of a stack on AWS: by its tag, and by name where tags are not listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops_infra.aws import Cloud
from mlops_infra.aws.waiting import wait
from mlops_infra.progress import Sink, step
from mlops_infra.teardown.aws.scope import DOMAIN, SECURITY_GROUP, VPC, Scope
from mlops_infra.teardown.aws.tagged import tagged

SETTLED = 60.0
"""Seconds. The tagging API goes on listing what was deleted for a while."""

LOG_FOLDERS = (
    "/aws/codebuild/{base}",
    "/aws/kinesisfirehose/{base}",
    "/aws/lambda/{base}",
    "/aws/rds/instance/{base}",
    "/aws/sagemaker/Endpoints/{base}",
    "/aws/sagemaker/InferenceComponents/{base}",
    "/aws/apigateway/{base}",
)
"""Where services write logs on their own, into groups that no program declared."""

_BY_NAME = (
    ("Endpoint", "list_endpoints", "Endpoints", "EndpointName"),
    ("EndpointConfig", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("Model", "list_models", "Models", "ModelName"),
    ("Pipeline", "list_pipelines", "PipelineSummaries", "PipelineName"),
    (
        "ModelPackageGroup",
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
    ),
    (
        "MonitoringSchedule",
        "list_monitoring_schedules",
        "MonitoringScheduleSummaries",
        "MonitoringScheduleName",
    ),
)


def leftovers(cloud: Cloud, scope: Scope, kept: Callable[[str], bool], sink: Sink) -> list[str]:
    """What still exists and is not kept, as text; asks again for a while before it says so.

    Args:
        cloud: where to look.
        scope: the stack, as it was before the teardown.
        kept: whether something of this name or ARN stays on purpose.
        sink: progress.
    """
    with step(sink, "Looking for leftovers on AWS") as work:
        found = wait(
            lambda: tuple(dict.fromkeys(e for e in _everything(cloud, scope) if not kept(e))),
            work,
            patience=SETTLED if not cloud.site.emulated else 2,
        )
        work.end("done", f"{len(found)} found" if found else "none")
    return list(found)


def _everything(cloud: Cloud, scope: Scope) -> Iterator[str]:
    yield from tagged(cloud, scope)
    yield from _sagemaker(cloud, scope)
    for bucket in cloud.call("s3", "list_buckets").get("Buckets", ()):
        if scope.named(bucket["Name"]):
            yield f"arn:aws:s3:::{bucket['Name']}"
    for role in cloud.pages("iam", "list_roles", "Roles"):  # the tagging API has no roles
        if scope.named(role["RoleName"]):
            yield str(role["Arn"])
    yield from logs(cloud, scope)
    yield from _interfaces(cloud, scope)
    yield from _file_systems(cloud, scope)
    yield from snapshots(cloud, scope)


def _sagemaker(cloud: Cloud, scope: Scope) -> Iterator[str]:
    for kind, method, key, name in _BY_NAME:
        for each in cloud.pages("sagemaker", method, key):
            arn = next((v for k, v in each.items() if k.endswith("Arn")), None)
            if scope.named(each[name]):
                yield str(arn or f"{kind} {each[name]}")


def log_groups(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """Log groups that services made for the stack's things."""
    for folder in LOG_FOLDERS:
        prefix = folder.format(base=scope.base)
        for each in cloud.pages(
            "logs", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        ):
            if scope.named(each["logGroupName"][len(prefix) - len(scope.base) :]):
                yield str(each["logGroupName"])


def logs(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """These groups as lines of a report."""
    for group in log_groups(cloud, scope):
        yield f"log group {group}"


def _interfaces(cloud: Cloud, scope: Scope) -> Iterator[str]:
    for name, ids in (("vpc-id", scope.ids(VPC)), ("group-id", scope.ids(SECURITY_GROUP))):
        if ids:
            wanted = [{"Name": name, "Values": list(ids)}]
            for each in cloud.pages(
                "ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=wanted
            ):
                status = each.get("Status", "")
                yield f"network interface {each['NetworkInterfaceId']} ({status})"


def _file_systems(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """Home folders of a SageMaker domain: they survive it and hold its subnet."""
    domains = set(scope.ids(DOMAIN))
    if not domains:
        return
    for each in cloud.pages("efs", "describe_file_systems", "FileSystems"):
        tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", ())}
        owner = tags.get("ManagedByAmazonSageMakerResource", "")
        if owner.rpartition("/")[2] in domains:
            yield f"file system {each['FileSystemId']} (home folders of {owner})"


def snapshots(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """Snapshots of databases and caches as lines of a report."""
    yield from (f"snapshot {name} of a database" for name in database_snapshots(cloud, scope))
    yield from (f"snapshot {name} of a cache" for name in cache_snapshots(cloud, scope))


def database_snapshots(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """Snapshots of the stack's databases that somebody, or the end of one, asked for."""
    for each in cloud.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual"):
        if scope.named(each.get("DBInstanceIdentifier", "")):
            yield str(each["DBSnapshotIdentifier"])


def cache_snapshots(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """Snapshots of the stack's caches."""
    for each in cloud.pages("elasticache", "describe_snapshots", "Snapshots"):
        owner = each.get("ReplicationGroupId") or each.get("CacheClusterId") or ""
        if scope.named(owner) or scope.named(each["SnapshotName"]):
            yield str(each["SnapshotName"])
