"""What the Resource Groups Tagging API lists of a stack, without what only seems to be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_infra import contract
from mlops_infra.aws import Cloud
from mlops_infra.teardown.aws.scope import Scope

HISTORY = (
    ":automl-job/",
    ":hyper-parameter-tuning-job/",
    ":labeling-job/",
    ":pipeline-execution/",
    ":processing-job/",
    ":training-job/",
    ":transform-job/",
)
"""Records of work that has ended: SageMaker has no call to delete them, and they cost nothing."""

_GLUE: Mapping[str, tuple[str, str]] = {
    "crawler": ("get_crawler", "Name"),
    "job": ("get_job", "JobName"),
    "trigger": ("get_trigger", "Name"),
    "workflow": ("get_workflow", "Name"),
}
"""Glue remembers the tags of a thing longer than the thing."""


def tagged(cloud: Cloud, scope: Scope) -> Iterator[str]:
    """ARNs of what carries the stack's tag and is really there."""
    wanted = [{"Key": contract.STACK_TAG, "Values": [scope.stack]}]
    found = cloud.pages(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=wanted
    )
    for each in found:
        arn = str(each["ResourceARN"])
        if not any(mark in arn for mark in HISTORY) and _there(cloud, arn):
            yield arn


def _there(cloud: Cloud, arn: str) -> bool:
    _, _, service, _, _, rest = arn.split(":", 5)
    kind, _, name = rest.partition("/")
    if service == "kms" and kind == "key":
        return not _ending(cloud, arn)
    if service == "glue" and kind in _GLUE:
        method, key = _GLUE[kind]
        return cloud.find("glue", method, **{key: name}) is not None
    return True


def _ending(cloud: Cloud, key: str) -> bool:
    """Whether KMS has the key's end on its calendar; until then it is listed."""
    told = cloud.find("kms", "describe_key", KeyId=key)
    ends = ("PendingDeletion", "PendingReplicaDeletion")
    return told is None or told["KeyMetadata"]["KeyState"] in ends
